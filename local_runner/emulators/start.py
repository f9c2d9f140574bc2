"""Google's Pub/Sub emulator and bqemulator: found, started, awaited, and stopped again.

An emulator that PUBSUB_EMULATOR_HOST or BIGQUERY_EMULATOR_HOST names is used as it is and never
stopped.
"""

import contextlib
import dataclasses
import fcntl
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc

from gcp.clients import EMULATOR_VARIABLE as BIGQUERY_VARIABLE
from gcp.clients import PUBSUB_VARIABLE as PUBSUB_VARIABLE
from gcp.clients import STORAGE_EMULATOR_VARIABLE as STORAGE_VARIABLE
from local_runner.emulators.ports import Ports, free_port, unused
from local_runner.errors import EmulatorError
from local_runner.processes.background import Background, background

PROJECT = "local-exams"
LOGS = Path("build/logs")

_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
_JAVA = 17
_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar"
_SDK_ROOTS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/usr/local/share/google-cloud-sdk",
    "~/google-cloud-sdk",
)
_HOW_TO_GET_PUBSUB = (
    "run `gcloud components install pubsub-emulator`, or install the distribution package "
    "google-cloud-cli-pubsub-emulator, or start the container image "
    "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators and set PUBSUB_EMULATOR_HOST"
)
# By its path, with -P: nothing beside it shadows what it imports.
_RUN_BQEMULATOR = ("-P", str(Path(__file__).with_name("run_bqemulator.py")))


class EmulatorMissingError(EmulatorError):
    """Java or the emulator is not installed. The text says how to get it."""


@dataclasses.dataclass(frozen=True)
class PubSubEmulator:
    """A Pub/Sub emulator that answers at ``host`` (HOST:PORT, gRPC and REST)."""

    host: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point Google's clients at it."""
        return {PUBSUB_VARIABLE: self.host}


@dataclasses.dataclass(frozen=True)
class BigQueryEmulator:
    """A BigQuery emulator that answers.

    Attributes:
        url: the REST API, with scheme.
        grpc_host: HOST:PORT of the Storage Read and Write APIs; None where an emulator that
            already ran is used and only its REST API is named.
    """

    url: str
    grpc_host: str | None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point our clients at it."""
        storage = {STORAGE_VARIABLE: self.grpc_host} if self.grpc_host else {}
        return {BIGQUERY_VARIABLE: self.url} | storage


def check_named_emulators() -> None:
    """Raises EmulatorError where an environment variable names one that does not answer.

    Google's clients would retry for ten minutes before they say so.
    """
    for variable in (PUBSUB_VARIABLE, BIGQUERY_VARIABLE, STORAGE_VARIABLE):
        if host := os.environ.get(variable):
            check_emulator(variable, host)


def check_emulator(variable: str, host: str) -> None:
    """Raises EmulatorError where nothing answers at ``host``, the value of the variable."""
    if variable == PUBSUB_VARIABLE:
        answers = _pubsub_answers(host)
    elif variable == BIGQUERY_VARIABLE:
        answers = _bigquery_answers(_with_scheme(host))
    else:
        answers = _grpc_answers(host)
    if not answers:
        raise EmulatorError(
            f"no emulator answers at {host}, which {variable} names: start it or unset {variable}"
        )


@contextlib.contextmanager
def pubsub_emulator(logs: Path = LOGS, ports: Ports | None = None) -> Iterator[PubSubEmulator]:
    """Yields a Pub/Sub emulator that answers. It keeps everything in memory.

    Args:
        logs: folder for its log, ``pubsub-emulator.log``.
        ports: where it listens; None is a free port.

    Raises:
        EmulatorMissingError: Java or the emulator is not installed.
        EmulatorError: it does not start, its port is in use, or the one already running does not
            answer.
    """
    if host := os.environ.get(PUBSUB_VARIABLE):
        _require_own(ports is None, PUBSUB_VARIABLE, "--ports")
        check_emulator(PUBSUB_VARIABLE, host)
        yield PubSubEmulator(host)
        return
    java, jar = find_java(), find_pubsub_jar()
    port = unused(ports.pubsub) if ports else free_port()
    command = [java, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"]
    host = f"127.0.0.1:{port}"
    with background(command, logs / "pubsub-emulator.log") as process:
        _wait_until(lambda: _pubsub_answers(host), process)
        yield PubSubEmulator(host)


@contextlib.contextmanager
def bigquery_emulator(
    logs: Path = LOGS, ports: Ports | None = None, keep: Path | None = None
) -> Iterator[BigQueryEmulator]:
    """Yields a BigQuery emulator that answers.

    Args:
        logs: folder for its log, ``bigquery-emulator.log``.
        ports: where it listens; None is free ports.
        keep: folder for its data, made where it is missing; None keeps them in memory.

    Raises:
        EmulatorError: it does not start, a port or the folder is in use, or the one already
            running does not answer.
    """
    if host := os.environ.get(BIGQUERY_VARIABLE):
        _require_own(ports is None, BIGQUERY_VARIABLE, "--ports")
        _require_own(keep is None, BIGQUERY_VARIABLE, "--keep")
        check_emulator(BIGQUERY_VARIABLE, host)
        yield BigQueryEmulator(_with_scheme(host), os.environ.get(STORAGE_VARIABLE))
        return
    if ports:
        rest_port, grpc_port = unused(ports.bigquery), unused(ports.grpc)
    else:
        rest_port, grpc_port = free_port(), free_port()
    stored = ["--persistent", f"--data-dir={keep}"] if keep else ["--ephemeral"]
    command = [sys.executable, *_RUN_BQEMULATOR, "start", *stored, "--log-level=warning"]
    command += [f"--project={PROJECT}", f"--rest-port={rest_port}", f"--grpc-port={grpc_port}"]
    url, grpc_host = f"http://127.0.0.1:{rest_port}", f"127.0.0.1:{grpc_port}"
    with (
        _locked(keep) if keep else contextlib.nullcontext(),
        background(command, logs / "bigquery-emulator.log") as process,
    ):
        _wait_until(lambda: _bigquery_answers(url) and _grpc_answers(grpc_host), process)
        yield BigQueryEmulator(url, grpc_host)


def find_java() -> str:
    """The path of a Java that runs the Pub/Sub emulator.

    Raises:
        EmulatorMissingError: there is none.
    """
    java = shutil.which("java")
    # macOS has a /usr/bin/java that only says that there is no Java.
    done = subprocess.run([java, "-version"], capture_output=True, text=True) if java else None
    version = re.search(r'version "(\d+)', done.stderr) if done else None
    if java is None or done is None or done.returncode or (version and int(version[1]) < _JAVA):
        raise EmulatorMissingError(
            f"the Pub/Sub emulator needs Java {_JAVA} or later on PATH (Debian: "
            f"openjdk-{_JAVA}-jre-headless)"
        )
    return java


def find_pubsub_jar() -> Path:
    """The Pub/Sub emulator of the Google Cloud CLI.

    Raises:
        EmulatorMissingError: it is not installed.
    """
    for root in _sdk_roots():
        if jars := sorted(root.glob(_JAR)):
            return jars[-1]
    raise EmulatorMissingError(f"Google's Pub/Sub emulator is not installed: {_HOW_TO_GET_PUBSUB}")


def _sdk_roots() -> Iterator[Path]:
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parents[1]
    for root in _SDK_ROOTS:
        yield Path(root).expanduser()
    if gcloud:  # slow, hence last
        info = [gcloud, "info", "--format=value(installation.sdk_root)"]
        root = subprocess.run(info, capture_output=True, text=True).stdout.strip()
        if root:
            yield Path(root)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other runs out of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmulatorError(
                f"{folder} is in use by another `up --keep`: stop that one or name another folder"
            ) from None
        yield


def _with_scheme(host: str) -> str:
    return host if "://" in host else f"http://{host}"


def _require_own(left_out: bool, variable: str, option: str) -> None:
    if not left_out:
        raise EmulatorError(
            f"{variable} names an emulator that already runs: unset it or leave out {option}"
        )


def _wait_until(answers: Callable[[], bool], process: Background) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers():
        if process.exit_code() is not None:
            raise EmulatorError(f"an emulator ended while starting; see {process.log}")
        if time.monotonic() > deadline:
            raise EmulatorError(f"an emulator did not answer in time; see {process.log}")
        time.sleep(0.1)


def _pubsub_answers(host: str) -> bool:
    return _http_answers(f"http://{host}/v1/projects/{PROJECT}/topics")


def _bigquery_answers(url: str) -> bool:
    return _http_answers(f"{url}/bigquery/v2/projects/{PROJECT}/datasets")


def _http_answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=_ANSWER_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500  # it does not know our project, yet it answers
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return True


def _grpc_answers(host: str) -> bool:
    with grpc.insecure_channel(host) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=_ANSWER_SECONDS)
        except grpc.FutureTimeoutError:
            return False
    return True
