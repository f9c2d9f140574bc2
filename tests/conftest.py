"""What all tests share: signals, time limits, and real emulators (a pair per xdist worker)."""

import contextlib
import dataclasses
import signal
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from google.cloud import bigquery, pubsub_v1
from hypothesis import HealthCheck, settings

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.environments import DATABASE_URL
from local_runner.emulators import start
from local_runner.postgres.server import Cluster, PostgresMissingError, postgres_server
from schemas.families import DEFAULT_FAMILY, FAMILIES
from schemas.family import EventFamily
from tests.support import exam_logs
from tests.support.datasets import DatasetPool
from tests.support.events import bodies

# Seconds for the tests whose marker says that they take minutes; pyproject.toml has everyone's.
SLOW_SECONDS = {"soak": 3_600, "worker": 1_800, "browser": 1_800}

# A slow machine makes no property false.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make fuzz` asks for this one: for each of five ways, 2,000 messages and 40,000 made of them.
settings.register_profile(
    "fuzz", max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("tests")


def pytest_configure() -> None:
    """Ends the ignoring of signals that a shell's background job inherits and would hand on.

    Python raises no KeyboardInterrupt where SIGINT was ignored when it started. This comes before
    xdist starts its workers, and before any test starts a process.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives slow tests the time that they need, unless they have a limit of their own."""
    for item in items:
        for marker, seconds in SLOW_SECONDS.items():
            if item.get_closest_marker(marker) and not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(seconds))


@dataclasses.dataclass(frozen=True)
class Warehouse:
    """A dataset that no other test uses (not created yet), and a client for it."""

    dataset: Dataset
    client: bigquery.Client


@pytest.fixture(scope="session")
def _pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[start.PubSubEmulator]:
    try:
        context = start.pubsub_emulator(tmp_path_factory.mktemp("pubsub"))
        emulator = context.__enter__()
    except start.EmulatorMissingError as missing:
        pytest.skip(str(missing))
    yield emulator
    context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[start.BigQueryEmulator]:
    with start.bigquery_emulator(tmp_path_factory.mktemp("bigquery")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def postgres_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that answers, never the one that DATABASE_URL names."""
    try:
        context = postgres_server(tmp_path_factory.mktemp("postgres"))
        cluster = context.__enter__()
    except PostgresMissingError as missing:
        pytest.skip(str(missing))
    yield cluster
    context.__exit__(None, None, None)


@pytest.fixture
def postgres(postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database that no other test uses, with DATABASE_URL set for this test."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_cluster.url(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        url = postgres_cluster.url(name)
        monkeypatch.setenv(DATABASE_URL, url)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _export(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)


@pytest.fixture
def pubsub_emulator(
    _pubsub: start.PubSubEmulator, monkeypatch: pytest.MonkeyPatch
) -> start.PubSubEmulator:
    """Google's Pub/Sub emulator, with PUBSUB_EMULATOR_HOST set for this test."""
    _export(monkeypatch, _pubsub.environment)
    return _pubsub


@pytest.fixture
def bigquery_emulator(
    _bigquery: start.BigQueryEmulator, monkeypatch: pytest.MonkeyPatch
) -> start.BigQueryEmulator:
    """bqemulator (``url``, ``grpc_host``), with BIGQUERY_EMULATOR_HOST set for this test."""
    _export(monkeypatch, _bigquery.environment)
    return _bigquery


@pytest.fixture
def warehouse(bigquery_emulator: start.BigQueryEmulator) -> Iterator[Warehouse]:
    """A fresh dataset name and a client on the emulator; whatever was made there goes after."""
    dataset = Dataset(start.PROJECT, f"test_{uuid.uuid4().hex}")
    client = bigquery_client(dataset.project)
    yield Warehouse(dataset, client)
    client.delete_dataset(str(dataset), delete_contents=True, not_found_ok=True)
    client.close()


@pytest.fixture(scope="session")
def _datasets(_bigquery: start.BigQueryEmulator) -> DatasetPool:
    return DatasetPool()


@pytest.fixture
def new_dataset(warehouse: Warehouse, _datasets: DatasetPool) -> Iterator[Callable[..., Dataset]]:
    """Gives datasets with the tables, empty, and the views of event families: of exam events."""
    with contextlib.ExitStack() as lent:

        def lend(*families: EventFamily) -> Dataset:
            lending = _datasets.lend(warehouse.client, families or [DEFAULT_FAMILY])
            return lent.enter_context(lending)

        yield lend


@pytest.fixture
def applied(warehouse: Warehouse, new_dataset: Callable[..., Dataset]) -> Warehouse:
    """``warehouse`` with the tables, empty, and the views of exam events."""
    return dataclasses.replace(warehouse, dataset=new_dataset())


@pytest.fixture
def applied_families(warehouse: Warehouse, new_dataset: Callable[..., Dataset]) -> Warehouse:
    """``warehouse`` with those of all event families."""
    return dataclasses.replace(warehouse, dataset=new_dataset(*FAMILIES.values()))


@pytest.fixture
def rows_of(applied: Warehouse) -> Callable[[str], list[dict[str, Any]]]:
    """Runs SQL with ``{dataset}`` filled in and gives the rows."""

    def run(sql: str) -> list[dict[str, Any]]:
        job = applied.client.query(sql.format(dataset=f"`{applied.dataset}`"))
        return [dict(row.items()) for row in job.result()]

    return run


GENERATED = pytest.param("generated", marks=pytest.mark.xdist_group("generated_log"))
REAL = pytest.param("real", marks=[pytest.mark.xdist_group("real_log"), pytest.mark.timeout(900)])


@pytest.fixture(scope="session", params=[GENERATED, REAL] if exam_logs.REAL else [GENERATED])
def log_file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> exam_logs.ExamLogFile:
    """An exam log: a generated one, and the real one where it is."""
    if request.param == "real":
        return exam_logs.real()
    return exam_logs.generated(tmp_path_factory.mktemp("log"))


@pytest.fixture
def jsonl(tmp_path) -> Callable[..., str]:
    """Writes payloads (dict or bytes), one a line, and gives the path."""

    def write(*payloads: dict[str, Any] | bytes, name: str = "events.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(b"".join(body + b"\n" for body in bodies(*payloads)))
        return str(path)

    return write


@pytest.fixture
def topics(pubsub_emulator):
    """Role to (topic, subscription), for events and for dead letters, and the two clients."""
    suffix = uuid.uuid4().hex
    names = {
        role: (
            f"projects/{start.PROJECT}/topics/{role}-{suffix}",
            f"projects/{start.PROJECT}/subscriptions/{role}-{suffix}",
        )
        for role in ("events", "dead-letters")
    }
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        for topic, subscription in names.values():
            publisher.create_topic(name=topic)
            subscriber.create_subscription(name=subscription, topic=topic)
        yield names, publisher, subscriber
        publisher.stop()
