"""The pages and their panels, loaded from ``pages/*.yaml`` and checked against the model."""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Literal

import msgspec

from dashboard.semantic import model
from dashboard.semantic.model import Dimension, Measure, Table

# In the order of the page's menu.
_NAMES = ("exam", "operations", "shop")

Chart = Literal["tiles", "hours", "lines", "bars", "bands", "table"]
Colour = Literal["starts", "completions", "wrong"]


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question to the warehouse, and how its answer is drawn.

    Attributes:
        name: in the URL.
        title: what it shows.
        chart: how it is drawn, above the table that every panel has.
        table: of the semantic model.
        dimensions: what it is grouped by.
        measures: what it shows; charts draw the first, lines all of them.
        order: columns of the result, with DESC or without.
        colour: of its marks.
        wide: whether it takes the page's width.
        needs: the filter without which it is not asked; empty is none.
        hint: what to do while that filter is missing.
        nothing: what to say where there are no rows.
    """

    name: str
    title: str
    chart: Chart
    table: str
    measures: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    colour: Colour = "starts"
    wide: bool = False
    needs: str = ""
    hint: str = ""
    nothing: str = (
        "No data yet for these filters: choose other dates, or wait for the first events."
    )

    @property
    def source(self) -> Table:
        """The table that it asks."""
        return model.tables()[self.table]

    @property
    def columns(self) -> list[Dimension | Measure]:
        """The columns of its answer."""
        table = self.source
        found = [table.dimension(name) for name in self.dimensions]
        return [*filter(None, found), *map(table.measure, self.measures)]


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page.

    Attributes:
        name: in the URL.
        title: in the menu.
        filters: dimensions that restrict every panel whose table has them.
        drill: dimensions that restrict only the panels that need them.
        panels: from top to bottom.
        optional: whether the menu has it only where the dataset has its tables.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    filters: tuple[str, ...] = ()
    drill: tuple[str, ...] = ()
    optional: bool = False

    def panel(self, name: str) -> Panel | None:
        """The panel of this name."""
        return next((panel for panel in self.panels if panel.name == name), None)


@functools.cache
def pages() -> Mapping[str, Page]:
    """The pages by name, in the order of the menu."""
    folder = resources.files("dashboard.pages")
    return {
        name: msgspec.yaml.decode((folder / f"{name}.yaml").read_bytes(), type=Page)
        for name in _NAMES
    }
