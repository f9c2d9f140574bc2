"""The demo of several event families."""

import os
import re
import subprocess
import sys
from pathlib import Path

from local_runner.emulators.start import PUBSUB_VARIABLE

ROOT = Path(__file__).parents[3]


def test_the_demo_shows_several_event_families(bigquery_emulator, tmp_path, monkeypatch):
    """From a file: nothing of a family depends on how its messages arrive."""
    monkeypatch.delenv(PUBSUB_VARIABLE, raising=False)
    names = ["orders", "inventory", "user_activity"]
    options = ["--event_family", ",".join(names), "--messages", "300"]
    done = subprocess.run(
        [sys.executable, "-m", "local_runner", "demo", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": "/none"},
        capture_output=True,
        text=True,
    )
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
