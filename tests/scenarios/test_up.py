"""``up`` as a process: what it prints, how it ends, and what it leaves behind."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import requests

from gcp.clients import EMULATOR_VARIABLE
from gcp.environments import DATABASE_URL
from local_runner.__main__ import main
from local_runner.emulators.ports import free_port
from local_runner.emulators.start import PUBSUB_VARIABLE, STORAGE_VARIABLE, EmulatorError
from local_runner.emulators.start import bigquery_emulator as start_bigquery
from local_runner.environment import make_logs

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
VARIABLES = (PUBSUB_VARIABLE, EMULATOR_VARIABLE, STORAGE_VARIABLE)
# What a shell without job control starts with & ignores SIGINT, unless it says otherwise.
IN_THE_BACKGROUND = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]


class Up:
    """A running ``up``, with ``folder`` as its working folder."""

    def __init__(self, folder, *arguments, environment):
        self._output = folder / f"up-{time.monotonic_ns()}.txt"
        self.folder = folder
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [*IN_THE_BACKGROUND, sys.executable, "-m", "local_runner", "up", *arguments],
                cwd=folder,
                env=environment | {"PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self):
        return self._output.read_text()

    def wait_for(self, pattern):
        """The first match of what it prints."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (match := re.search(pattern, self.said)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.2)
        return match

    def exports(self):
        self.wait_for("runs? until Ctrl-C")
        return dict(re.findall("^export ([A-Z_]+)=(.*)$", self.said, re.MULTILINE))

    def commands(self):
        """The commands to copy, each as its words."""
        joined = self.said.replace("\\\n", " ")
        return [shlex.split(line) for line in joined.splitlines() if " -m " in line]

    def end(self, number):
        self.process.send_signal(number)
        assert self.process.wait(timeout=PATIENCE_SECONDS) == 0, self.said
        assert processes_in(self.folder) == []


def processes_in(folder):
    """Commands whose working folder it is: what ``up`` started inherits it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" "))
    return found


@pytest.fixture
def up(tmp_path):
    started = []

    def start(*arguments, own_emulators=False):
        kept = {k: v for k, v in os.environ.items() if not own_emulators or k not in VARIABLES}
        started.append(Up(tmp_path, *arguments, environment=kept))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def simulate(command, exports, *arguments):
    subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env={**os.environ, **exports, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )


def test_the_commands_of_up_name_its_event_families(pubsub_emulator, bigquery_emulator, up):
    names = "orders,inventory"
    running = up("--event_family", names, "--no_pipeline")
    exports = running.exports()
    sending, reading = running.commands()
    for command in (sending, reading):
        assert command[command.index("--event_family") + 1] == names
    simulate(sending, exports, "--messages", "60", "--rate", "1000")
    with subprocess.Popen(
        reading,
        cwd=running.folder,
        env={**os.environ, **exports, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    ) as by_hand:
        total = running.wait_for(r"received 60 = (\d+) facts")
        by_hand.terminate()
        by_hand.communicate()
    assert int(total.group(1)) > 40
    running.end(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_shows_what_to_do_and_the_counts_until_a_signal(
    number, pubsub_emulator, bigquery_emulator, up
):
    running = up()
    exports = running.exports()
    assert exports == {**pubsub_emulator.environment, **bigquery_emulator.environment}
    for value in (pubsub_emulator.host, bigquery_emulator.url, bigquery_emulator.grpc_host):
        assert re.search(f"emulator.* {value}$", running.said, re.MULTILINE)
    for label in ("topic", "subscription", "dead-letter topic", "dead-letter subscription"):
        kind = label.rpartition(" ")[2] + "s"
        assert re.search(f"^{label}\\s+projects/local-exams/{kind}/exam-events", running.said, re.M)
    simulate(running.commands()[0], exports, "--messages", "60", "--seed", "3", "--rate", "1000")
    total = running.wait_for(r"received (\d+) = (\d+) facts \+ (\d+) duplicates \+ (\d+) dead")
    received, *parts = map(int, total.groups())
    assert received == sum(parts) > 0
    page = re.search(r"^dashboard +(http://127.0.0.1:\d+/)$", running.said, re.MULTILINE)[1]
    events, *_ = (
        requests.get(f"{page}operations/facts.csv", timeout=60).text.splitlines()[1].split(",")
    )
    assert int(events) >= parts[0]
    running.end(number)
    assert max(map(len, running.said.splitlines())) <= 80
    assert "Traceback" not in running.said
    assert list(running.folder.glob("build/logs/*/pipeline.log"))
    assert "The tables of local-exams.exams_" in running.said


def test_up_with_postgres_prints_what_a_pull_needs(pubsub_emulator, bigquery_emulator, up):
    running = up("--no_pipeline", "--postgres")
    exports = running.exports()
    place = exports[DATABASE_URL].rpartition("@")[2]
    assert re.search(f"^PostgreSQL +{place}$", running.said, re.MULTILINE)
    [pull] = [command for command in running.commands() if "--input_postgres" in command]
    assert pull[1:4] == ["-m", "pipeline.main", "--input_postgres"]
    with psycopg.connect(exports[DATABASE_URL]) as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone()[0] > 0
    running.end(signal.SIGTERM)
    assert max(map(len, running.said.splitlines())) <= 80
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(exports[DATABASE_URL])


def test_what_is_kept_is_there_again_and_counts_on(up):
    """On ports of ours, and without a pipeline: a pipeline by hand, as the printed command says."""
    distinct: set[int] = set()
    while len(distinct) < 3:  # a port that was free may be given again
        distinct.add(free_port())
    ports = ",".join(map(str, distinct))
    options = ("--ports", ports, "--keep", "data", "--no_pipeline")
    received = []
    for seed in ("1", "2"):
        running = up(*options, own_emulators=True)
        exports = running.exports()
        assert ",".join(value.rpartition(":")[2] for value in exports.values()) == ",".join(
            ports.split(",")[position] for position in (1, 2, 0)
        )
        traffic, pipeline = running.commands()
        simulate(traffic, exports, "--messages", "30", "--seed", seed, "--rate", "1000")
        assert not list(running.folder.glob("build/logs/*/pipeline.log"))
        with subprocess.Popen(
            pipeline,
            cwd=running.folder,
            env={**os.environ, **exports, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        ) as by_hand:
            running.wait_for(f"received {30 * len(received) + 30} ")
            by_hand.terminate()
            by_hand.communicate()
        received.append(running.said)
        with pytest.raises(EmulatorError, match="in use by another"), start_elsewhere(running):
            pass
        running.end(signal.SIGTERM)
        assert "are kept in data" in running.said
    assert "received 30 " in received[1]  # before anything was sent
    assert len(list(running.folder.glob("build/logs/*/bigquery-emulator.log"))) == 2


@contextlib.contextmanager
def start_elsewhere(running):
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        with start_bigquery(running.folder / "logs", keep=running.folder / "data"):
            yield


def test_up_that_is_stopped_while_it_starts_ends_in_order(up):
    running = up(own_emulators=True)
    running.wait_for("Starting")
    while len(processes_in(running.folder)) < 3:  # itself, a supervisor, an emulator
        time.sleep(0.05)
    running.end(signal.SIGINT)
    assert running.said.endswith("Stopped before the start was complete.\n")


def test_a_port_in_use_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["up", "--ports", f"{free_port()},{port},{free_port()}"]) == 1
    assert capsys.readouterr().err == (
        f"error: port {port} cannot be used (Address already in use): "
        "name another one with --ports\n"
    )


@pytest.mark.parametrize("option", [["--keep", "data"], ["--ports", "8085,9050,9060"]])
def test_options_for_emulators_do_not_go_with_named_ones(
    option, bigquery_emulator, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["up", *option]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {EMULATOR_VARIABLE} names an emulator that already runs: ")
    assert printed.count("\n") == 1
    assert not Path("data").exists()


def test_each_run_has_logs_of_its_own_and_the_last_few_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = make_logs("20260302_080000"), make_logs("20260302_080000")
    assert first != second
    other = Path("build/logs/notes")
    other.mkdir()
    for path in (other, first, second):
        os.utime(path, (0, 0))
    newer = {make_logs(f"20260303_{number:06}") for number in range(10)}
    assert set(Path("build/logs").iterdir()) == newer | {other}
