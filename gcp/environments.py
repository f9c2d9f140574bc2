"""Named environments: the settings that a machine keeps out of the command line.

``--env NAME`` takes them from the file ``.env.NAME`` of the working folder, or from ``.env`` where
there is none; variables of the process itself win.
"""

import argparse
import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

DATABASE_URL = "DATABASE_URL"


@dataclasses.dataclass(frozen=True)
class EnvironmentSettings:
    """The settings of one environment; may hold secrets, which its repr does not show.

    Attributes:
        file: the file that was read, or None.
        values: its variables under those of the process.
    """

    file: Path | None
    values: Mapping[str, str] = dataclasses.field(repr=False)

    def get(self, name: str) -> str | None:
        """The value of a variable; None where it is missing or empty."""
        return self.values.get(name) or None

    def how_to_set(self, name: str) -> str:
        """The line for a variable that is missing."""
        where = f"write it to {self.file}" if self.file else "write it to a file .env"
        return f"{name} is not set: set it, or {where}"


def read_environment(env: str | None, folder: Path | None = None) -> EnvironmentSettings:
    """Reads the settings of an environment.

    Args:
        env: its name, or None for the one without a name.
        folder: where the files are; None is the working folder.

    Raises:
        OSError: the file cannot be read, or is not UTF-8 text.
    """
    folder = folder or Path()
    names = [f".env.{env}", ".env"] if env else [".env"]
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    # Values are taken as written: a password may hold ${.
    try:
        written = dotenv_values(file, interpolate=False, encoding="utf-8") if file else {}
    except UnicodeDecodeError:
        raise OSError(f"{file}: it is not UTF-8 text") from None
    values = {name: value for name, value in written.items() if value is not None}
    return EnvironmentSettings(file, values | os.environ)


def environment_name(text: str) -> str:
    """The argument type of ``--env``."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", text, re.ASCII):
        raise argparse.ArgumentTypeError("must be 1 to 64 letters, digits, hyphens, underscores")
    return text
