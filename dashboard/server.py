"""The web server: pages, their panels as fragments of HTML, CSV files."""

import asyncio
import contextlib
import datetime as dt
import functools
import logging
import threading
from collections.abc import AsyncIterator, Callable

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import assets, filters, formats, layout
from dashboard.filters import FilterError, Filters
from dashboard.layout import Page, Panel
from dashboard.panels import Panels, choices
from dashboard.warehouse import PanelError, Warehouse
from gcp.dataset import Dataset

_LOG = logging.getLogger(__name__)

_HEADERS = {
    # No script or style but the page's own files: what an app sent as an id stays text.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def create_app(
    dataset: Dataset,
    warehouse: Warehouse,
    today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
) -> Starlette:
    """The application for the tables of a dataset."""
    site = _Site(dataset, warehouse, today)
    return Starlette(
        routes=[
            Route("/", _first),
            Route("/healthz", _healthz),
            Route("/static/{name}", _static),
            Route("/{page}", site.page),
            Route("/{page}/link", site.link),
            Route("/{page}/choices/{dimension}", site.choices),
            Route("/{page}/{panel}.csv", site.csv),
            Route("/{page}/{panel}", site.panel),
        ],
        middleware=[Middleware(GZipMiddleware)],
        lifespan=_warm,
    )


class _Site:
    """The handlers. Those that ask the warehouse block: Starlette runs them in threads.

    The others take none, so that pages open while all threads wait for the warehouse.
    """

    def __init__(
        self, dataset: Dataset, warehouse: Warehouse, today: Callable[[], dt.date]
    ) -> None:
        self._dataset = dataset
        self._panels = Panels(dataset, warehouse)
        self._today = today
        self._templates = _templates()

    async def page(self, request: Request) -> Response:
        page, today, problem = self._page_of(request), self._today(), ""
        if page is None:
            return _missing()
        try:
            chosen = self._filters(page, request)
        except FilterError as error:
            problem = str(error)
            chosen = filters.parse({}, (), today)
        html = self._templates.get_template("page.html").render(
            page=page,
            pages=layout.pages().values(),
            filters=chosen,
            ranges=filters.RANGES,
            live=chosen.includes(today),
            problem=problem,
            dataset=self._dataset,
        )
        return HTMLResponse(html, 400 if problem else 200, _HEADERS)

    def link(self, request: Request) -> Response:
        """What the menu says of an optional page; no content where the dataset lacks it."""
        page = self._page_of(request)
        if page is None:
            return _missing()
        if not self._panels.offered(page):
            return Response(status_code=204, headers=_HEADERS)
        try:
            chosen = self._filters(page, request)
        except FilterError:
            chosen = filters.parse({}, (), self._today())
        html = self._templates.get_template("link.html").render(page=page, filters=chosen)
        return HTMLResponse(html, headers=_HEADERS)

    def choices(self, request: Request) -> Response:
        page, dimension = self._page_of(request), request.path_params["dimension"]
        if page is None or dimension not in page.filters:
            return _missing()
        try:
            chosen = self._filters(page, request)
            found = choices(self._panels, page, dimension, chosen, self._today())
        except (FilterError, PanelError):
            # The panels say why; what is chosen stays.
            return Response(status_code=204, headers=_HEADERS)
        html = self._templates.get_template("choices.html").render(
            choices=found, chosen=chosen.values.get(dimension, "")
        )
        return HTMLResponse(html, headers=_HEADERS)

    def panel(self, request: Request) -> Response:
        found = self._panel_of(request)
        if found is None:
            return _missing()
        page, panel = found
        try:
            chosen = self._filters(page, request)
        except FilterError as error:
            return PlainTextResponse(str(error), 400, _HEADERS)
        view = self._panels.view(page, panel, chosen, self._today())
        html = self._templates.get_template("panel.html").render(view=view, panel=panel)
        headers = {"X-As-Of": view.at.isoformat()} if view.at else {}
        return HTMLResponse(html, headers=_HEADERS | headers)

    def csv(self, request: Request) -> Response:
        found = self._panel_of(request)
        if found is None:
            return _missing()
        page, panel = found
        try:
            chosen = self._filters(page, request)
            rows = self._panels.rows(page, panel, chosen, self._today())
        except FilterError as error:
            return PlainTextResponse(str(error), 400, _HEADERS)
        except PanelError as error:
            return PlainTextResponse(str(error), error.status, _HEADERS)
        name = f"{page.name}-{panel.name}-{chosen.first_date}-{chosen.last_date}.csv"
        headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(formats.as_csv(panel, rows), 200, headers, "text/csv; charset=utf-8")

    def _page_of(self, request: Request) -> Page | None:
        return layout.pages().get(request.path_params["page"])

    def _panel_of(self, request: Request) -> tuple[Page, Panel] | None:
        page = self._page_of(request)
        panel = page.panel(request.path_params["panel"]) if page else None
        return (page, panel) if page and panel else None

    def _filters(self, page: Page, request: Request) -> Filters:
        return filters.parse(request.query_params, (*page.filters, *page.drill), self._today())


async def _first(request: Request) -> Response:
    return RedirectResponse(f"/{next(iter(layout.pages()))}")


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    # Its first time takes seconds.
    found = (
        await asyncio.to_thread(assets.asset, name) if name == assets.VEGA else assets.asset(name)
    )
    if found is None:
        return _missing()
    headers = _FOREVER | {"Content-Encoding": "gzip", "X-Content-Type-Options": "nosniff"}
    return Response(found.content, 200, headers, found.media_type)


def _missing() -> Response:
    return PlainTextResponse("There is no such page.", 404, _HEADERS)


@contextlib.asynccontextmanager
async def _warm(app: Starlette) -> AsyncIterator[None]:
    """Bundles Vega beside the first requests: nobody waits for it at the start."""
    threading.Thread(target=assets.asset, args=[assets.VEGA], daemon=True).start()
    yield


@functools.cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dashboard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = formats.shown
    environment.globals.update(asset_url=assets.url, numeric=formats.NUMERIC)
    return environment
