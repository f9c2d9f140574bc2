"""The demo, as its user runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from local_runner.emulators.start import PUBSUB_VARIABLE

ROOT = Path(__file__).parents[2]


def run(*arguments, folder, environment=None):
    """The command in a process of its own, with its build folder in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    return subprocess.run(
        [sys.executable, "-m", "local_runner", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def check_demo(done, folder):
    assert done.returncode == 0, done.stderr + done.stdout
    *_, last = " ".join(done.stdout.splitlines()).partition("done in ")
    assert last.endswith(", 0 unaccounted; report: build/report.html")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
    assert (folder / "build/report.html").exists()


def test_the_demo_streams(pubsub_emulator, bigquery_emulator, tmp_path):
    done = run("demo", "--messages", "250", folder=tmp_path)
    check_demo(done, tmp_path)
    assert "dead letters on the dead-letter topic" in done.stdout


def test_a_demo_of_one_message_is_no_failure(pubsub_emulator, bigquery_emulator, tmp_path):
    done = run("demo", "--messages", "1", folder=tmp_path)
    check_demo(done, tmp_path)
    assert "1 messages, 1 facts, 0 duplicates, 0 dead letters" in " ".join(done.stdout.split())


def test_the_demo_goes_on_without_pubsub(bigquery_emulator, tmp_path, monkeypatch):
    """Twice on one warehouse: the second run must not count what the first one left."""
    monkeypatch.delenv(PUBSUB_VARIABLE, raising=False)
    for _ in range(2):
        done = run("demo", "--messages", "250", folder=tmp_path, environment={"PATH": "/none"})
        check_demo(done, tmp_path)
        assert "Java" in done.stdout
    assert len(list(tmp_path.glob("build/logs/*/traffic.avro"))) == 2


def test_a_pipeline_that_dies_ends_the_demo_with_its_log(
    pubsub_emulator, bigquery_emulator, tmp_path
):
    """A stand-in for the pipeline that fails at once."""
    for package in ("local_runner", "gcp", "schemas", "ddl", "transforms"):
        (tmp_path / package).symlink_to(ROOT / package)
    (tmp_path / "pipeline").mkdir()
    for path in (ROOT / "pipeline").iterdir():
        if path.name != "main.py":
            (tmp_path / "pipeline" / path.name).symlink_to(path)
    (tmp_path / "pipeline/main.py").write_text("raise SystemExit('out of luck')\n")
    done = run(
        "demo", "--messages", "50", folder=tmp_path, environment={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "the pipeline ended with exit code 1" in done.stderr
    assert done.stderr.endswith("out of luck\n")
    assert "Traceback" not in done.stderr


def test_the_demo_shows_several_event_families(bigquery_emulator, tmp_path, monkeypatch):
    """From a file: nothing of a family depends on how its messages arrive."""
    monkeypatch.delenv(PUBSUB_VARIABLE, raising=False)
    names = ["orders", "inventory", "user_activity"]
    options = ["--event_family", ",".join(names), "--messages", "300"]
    done = run("demo", *options, folder=tmp_path, environment={"PATH": "/none"})
    assert done.returncode == 0, done.stderr + done.stdout
    assert ", 0 unaccounted; report: build/report.html" in " ".join(done.stdout.splitlines())
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name in [*names, r"\(no family\)"]:
        counts = re.search(rf"│ {name} +│" + r" +(\d+) │" * 5, done.stdout)
        published, *parts, unaccounted = map(int, counts.groups())
        assert (sum(parts), unaccounted) == (published, 0)
    page = (tmp_path / "build/report.html").read_text()
    assert page.count("<figure") == 4
    assert "No data." not in page
    assert "no rows" not in page
    views = ["orders_current", "customer_lifetime_value", "stock_levels", "user_funnel"]
    assert all(f"First rows of {view}" in done.stdout for view in views)


def test_the_demo_shows_learner_events(bigquery_emulator, tmp_path, monkeypatch):
    monkeypatch.delenv(PUBSUB_VARIABLE, raising=False)
    options = ["--event_family", "learner_event", "--messages", "300"]
    done = run("demo", *options, folder=tmp_path, environment={"PATH": "/none"})
    assert done.returncode == 0, done.stderr + done.stdout
    assert ", 0 unaccounted; report: build/report.html" in " ".join(done.stdout.splitlines())
    page = (tmp_path / "build/report.html").read_text()
    assert page.count("<figure") == 1
    assert not re.search("No data|no rows", page)
    assert all(f"First rows of {view}" in done.stdout for view in ("session_metrics", "mastery_"))
