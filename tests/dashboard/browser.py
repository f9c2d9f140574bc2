"""A headless Chromium, driven over its own protocol: no package beyond websockets is needed."""

import contextlib
import itertools
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from local_runner.processes.background import background

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_SECONDS = 30


class Tab:
    """One tab: what it shows, and what it complained about."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol and gives its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=_SECONDS))
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning"):
                self.complaints.append(json.dumps(parameters["args"])[:500])

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        result = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, condition: str) -> None:
        """Waits until a JavaScript expression is true."""
        deadline = time.monotonic() + _SECONDS
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"{condition} did not come true"
            time.sleep(0.05)

    def open(self, url: str, settled: bool = True) -> None:
        """Goes to a page, and waits until its panels are there."""
        self.send("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")
        if settled:
            self.settle()

    def settle(self) -> None:
        """Waits until every panel has its answer and every chart is drawn."""
        self.wait(
            "document.querySelector('.panel') && !document.querySelector('.loading')"
            " && !document.querySelector('.htmx-request')"
            " && ![...document.querySelectorAll('.chart')].some(c => !c.querySelector('svg'))"
        )

    def look(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Sets the size of the window and the colour scheme."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self) -> str:
        """The whole page as PNG in base64."""
        return str(self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"])


@contextlib.contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A tab of a Chromium with a fresh profile in ``folder``."""
    profile = folder / "profile"
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    with background(command, folder / "chromium.log"):
        port_file = profile / "DevToolsActivePort"
        deadline = time.monotonic() + _SECONDS
        while not (port_file.exists() and port_file.read_text().count("\n")):
            assert time.monotonic() < deadline, (folder / "chromium.log").read_text()
            time.sleep(0.1)
        port = port_file.read_text().split()[0]
        with connect(_tab_address(port), max_size=None) as socket:
            yield Tab(socket)


def _tab_address(port: str) -> str:
    found = requests.put(f"http://127.0.0.1:{port}/json/new?about:blank", timeout=_SECONDS).json()
    return str(found["webSocketDebuggerUrl"])
