"""Beam's own programs in Go, in the version of our Beam: ``make test`` builds Prism."""

import os
import shutil
import subprocess
from pathlib import Path

import apache_beam as beam
import pytest

BIN = Path(__file__).parents[1] / "build" / "bin"
SOURCES = {
    "prism": "github.com/apache/beam/sdks/v2/go/cmd/prism",
    "container": "github.com/apache/beam/sdks/v2/python/container",  # boot, in the SDK's image
}


def prism() -> str:
    """The path of Prism. Skips the test where it is not built; in CI that is a failure."""
    path = BIN / "prism"
    if path.exists():
        return str(path)
    if shutil.which("go") is None:
        pytest.skip("Prism is not built: it needs Go 1.24 or later, then `make test` builds it")
    why = "Prism is not built though Go is here: `make prism` builds it"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def built() -> dict[str, str]:
    """Paths by name; builds what is not there yet. Skips the test where Go is missing."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed: install Go 1.24 or later to build Prism and boot")
    for name, source in SOURCES.items():
        if not (BIN / name).exists():
            subprocess.run(
                ["go", "install", f"{source}@v{beam.__version__}"],
                env=os.environ | {"GOBIN": str(BIN)},
                check=True,
            )
    return {name: str(BIN / name) for name in SOURCES}
