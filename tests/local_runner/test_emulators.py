import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from google.cloud import pubsub_v1

from gcp.clients import EMULATOR_VARIABLE, bigquery_client
from local_runner.emulators import start
from local_runner.processes.background import background
from pipeline.sinks.storage_write import connection
from pipeline.sinks.storage_write import writer as writer_module
from pipeline.sinks.storage_write.writer import StorageWriter
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
# A command with a child of its own, as Java has; both write their process ids.
FAMILY = "sleep 600 & echo $! $$; wait"
PARENT = """
import sys, time
from pathlib import Path
from local_runner.processes.background import background
with background(["sh", "-c", sys.argv[1]], Path(sys.argv[2])):
    time.sleep(600)
"""


def test_the_environment_points_clients_at_the_emulators(pubsub_emulator, warehouse):
    with pubsub_v1.PublisherClient() as publisher:
        topic = publisher.create_topic(name=f"projects/{start.PROJECT}/topics/answers")
    assert topic.name.endswith("/topics/answers")
    warehouse.client.create_dataset(str(warehouse.dataset))
    assert [tuple(row) for row in warehouse.client.query("SELECT 1, 'a'").result()] == [(1, "a")]


def test_an_insert_copies_no_table(warehouse):
    """Only copies would show that there was nothing in the table before the first insert."""
    run = warehouse.client.query
    table = warehouse.dataset.table("t")
    warehouse.client.create_dataset(str(warehouse.dataset))
    run(f"CREATE TABLE `{table}` (n INT64)").result()
    assert warehouse.client.insert_rows_json(table, [{"n": 1}]) == []
    before = "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)"
    rows = run(f"SELECT n FROM `{table}` FOR SYSTEM_TIME AS OF {before}").result()
    assert [tuple(row) for row in rows] == [(1,)]


def test_queries_and_appends_do_not_meet(warehouse):
    """They come in different threads; with one connection, each got what was the other's."""
    warehouse.client.create_dataset(str(warehouse.dataset))
    warehouse.client.query(f"CREATE TABLE `{warehouse.dataset}.t` (n INT64)").result()
    writer = StorageWriter(warehouse.dataset, "t", ("n",))
    writer.open()
    done = threading.Event()
    appended = []

    def append():
        while not done.is_set():
            writer.append([(0,)] * 10)
            assert writer.flush() == []
            appended.append(10)

    thread = threading.Thread(target=append)
    thread.start()
    try:
        for number in range(50):
            (row,) = warehouse.client.query(f"SELECT {number}").result()
            assert tuple(row) == (number,)
    finally:
        done.set()
        thread.join()
        writer.close()
    (row,) = warehouse.client.query(f"SELECT COUNT(*) FROM `{warehouse.dataset}.t`").result()
    assert row[0] == sum(appended) > 0


def test_each_of_many_open_appends_is_answered(warehouse, monkeypatch):
    """Each occupies a thread; with a pool of one for each processor and four, the rest waited."""
    monkeypatch.setattr(connection, "RESPONSE_SECONDS", 10.0)
    monkeypatch.setattr(writer_module, "retry_transient", lambda _, call, *args: call(*args))
    warehouse.client.create_dataset(str(warehouse.dataset))
    with contextlib.ExitStack() as stack:
        for number in range(len(os.sched_getaffinity(0)) + 8):
            name = f"t{number}"
            warehouse.client.query(f"CREATE TABLE `{warehouse.dataset}.{name}` (n INT64)").result()
            writer = StorageWriter(warehouse.dataset, name, ("n",))
            writer.open()
            stack.callback(writer.close)
            writer.append([(number,)])
            assert writer.flush() == []


def test_an_emulator_that_runs_is_used_and_left_running(bigquery_emulator, tmp_path):
    with start.bigquery_emulator(tmp_path) as again:
        assert again == bigquery_emulator
    assert not list(tmp_path.iterdir())
    client = bigquery_client(start.PROJECT)
    assert list(client.query("SELECT 1").result())
    client.close()


@pytest.mark.parametrize(
    ("variable", "emulator"),
    [
        (start.PUBSUB_VARIABLE, start.pubsub_emulator),
        (EMULATOR_VARIABLE, start.bigquery_emulator),
    ],
)
def test_a_named_emulator_that_does_not_answer_is_refused(
    variable, emulator, monkeypatch, tmp_path
):
    monkeypatch.setenv(variable, "127.0.0.1:1")
    with pytest.raises(start.EmulatorError, match=variable) as refusal, emulator(tmp_path):
        pass
    assert "\n" not in str(refusal.value)


def test_a_server_of_another_protocol_is_no_emulator():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            with server.accept()[0] as connection:
                connection.sendall(b"220 mail\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(start.EmulatorError, match=f"no emulator answers at {host}"):
            start.check_emulator(start.PUBSUB_VARIABLE, host)
        greeting.join()


def test_an_emulator_named_by_its_rest_api_alone_has_no_grpc(
    bigquery_emulator, monkeypatch, tmp_path
):
    monkeypatch.delenv(start.STORAGE_VARIABLE)
    with start.bigquery_emulator(tmp_path) as again:
        assert again.grpc_host is None
        assert again.environment == {EMULATOR_VARIABLE: bigquery_emulator.url}


def test_a_named_grpc_host_that_does_not_answer_is_refused(bigquery_emulator, monkeypatch):
    monkeypatch.setenv(start.STORAGE_VARIABLE, "127.0.0.1:1")
    with pytest.raises(start.EmulatorError, match=start.STORAGE_VARIABLE):
        start.check_named_emulators()


def test_missing_java_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.delenv(start.PUBSUB_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(start.EmulatorMissingError, match="Java") as missing,
        start.pubsub_emulator(tmp_path),
    ):
        pass
    assert "\n" not in str(missing.value)


def test_a_missing_emulator_is_told_with_the_ways_to_get_it(monkeypatch, tmp_path):
    monkeypatch.delenv(start.PUBSUB_VARIABLE, raising=False)
    monkeypatch.setattr(start, "_SDK_ROOTS", (str(tmp_path),))
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(start, "_sdk_roots", lambda: iter([tmp_path]))
    with (
        pytest.raises(start.EmulatorMissingError) as missing,
        start.pubsub_emulator(tmp_path),
    ):
        pass
    for way in (
        "gcloud components install",
        "google-cloud-cli-pubsub-emulator",
        "google-cloud-cli:emulators",
    ):
        assert way in str(missing.value)


def test_an_emulator_that_ends_while_starting_names_its_log(monkeypatch, tmp_path):
    monkeypatch.delenv(EMULATOR_VARIABLE, raising=False)
    monkeypatch.setattr(start, "_RUN_BQEMULATOR", ("-c", "raise SystemExit(3)"))
    with (
        pytest.raises(start.EmulatorError, match=r"bigquery-emulator\.log"),
        start.bigquery_emulator(tmp_path),
    ):
        pass


def _process_ids(log: Path) -> list[int]:
    while len(log.read_text().split() if log.exists() else ()) < 2:
        time.sleep(0.01)
    return [int(word) for word in log.read_text().split()]


def _wait_for_the_end_of(process_ids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while remaining := [process_id for process_id in process_ids if _alive(process_id)]:
        assert time.monotonic() < deadline, f"still there: {remaining}"
        time.sleep(0.01)


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody reaps (a container without an init) is dead too.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True
    )
    return not state.stdout.startswith("Z") and bool(state.stdout.strip())


def test_an_exception_stops_the_whole_family(tmp_path):
    log = tmp_path / "log"
    with contextlib.suppress(KeyboardInterrupt), background(["sh", "-c", FAMILY], log):
        family = _process_ids(log)
        raise KeyboardInterrupt
    _wait_for_the_end_of(family)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_parent_that_dies_leaves_no_child(number, tmp_path):
    log = tmp_path / "log"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, FAMILY, str(log)], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as parent:
        family = _process_ids(log)
        parent.send_signal(number)
    _wait_for_the_end_of(family)


def test_a_command_that_ignores_sigterm_is_killed(tmp_path):
    log = tmp_path / "log"
    script = "trap '' TERM; echo $$ $$; while :; do sleep 0.1; done"
    impatient = (
        "import sys; from local_runner.processes import supervisor; "
        "supervisor.GRACE_SECONDS = 0.1; sys.exit(supervisor.main(sys.argv[1:]))"
    )
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-c", impatient, "sh", "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
        ) as keeper,
    ):
        family = _process_ids(log)
        keeper.stdin.close()
        assert keeper.wait() == 128 + signal.SIGKILL
    _wait_for_the_end_of(family)


def test_the_exit_code_and_the_last_lines_are_told(tmp_path):
    with background(["sh", "-c", "seq 20; exit 3"], tmp_path / "log") as process:
        assert process.process.wait() == 3
        assert process.exit_code() == 3
        assert process.last_lines(2) == "19\n20"
