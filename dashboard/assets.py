"""The files that the browser loads: small, compressed once, and named by their content."""

import functools
import gzip
import hashlib
import threading
from importlib import metadata, resources

import vl_convert

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES = ("dashboard.css", "dashboard.js", "htmx.min.js", "icon.svg")
VEGA = "vega.js"
_bundling = threading.Lock()


class Asset:
    """A file: its type, and its content compressed by gzip."""

    def __init__(self, name: str, text: str) -> None:
        self.media_type = _TYPES[name.rpartition(".")[2]]
        self.content = gzip.compress(text.encode(), mtime=0)
        self.version = hashlib.sha256(self.content).hexdigest()[:12]


@functools.cache
def _file(name: str) -> Asset:
    text = resources.files("dashboard").joinpath("static", name).read_text(encoding="utf-8")
    return Asset(name, text)


@functools.cache
def _vega() -> Asset:
    return Asset(VEGA, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def asset(name: str) -> Asset | None:
    """The file of this name. Vega takes seconds the first time; callers wait for each other."""
    if name in _FILES:
        return _file(name)
    if name == VEGA:
        with _bundling:
            return _vega()
    return None


@functools.cache
def url(name: str) -> str:
    """Where the page loads it from; changes with the content, so that browsers may keep it."""
    version = metadata.version("vl-convert-python") if name == VEGA else _file(name).version
    return f"/static/{name}?v={version}"
