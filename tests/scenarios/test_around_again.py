"""The whole circle on the emulators: stream, count, send dead letters back mended, count again."""

import json

import pytest

from pipeline import reconcile
from pipeline.replay import __main__ as replay
from pipeline.replay import candidate_sources
from tests.support.events import NOW, event
from tests.support.payloads import DEAD, FACTS
from tests.support.streaming import streaming, wait_for

NAIVE = {"client_ts": f"{NOW:%Y-%m-%dT%H:%M:%S}"}
MENDABLE = [event("naive-1", **NAIVE), event("naive-2", **NAIVE)]
HOPELESS = event("naive-3", **NAIVE, attempt_no="many")  # mended, and still wrong
STORED = "SELECT COUNT(*) AS n FROM {dataset}.events WHERE event_id LIKE 'naive%'"
REPLAYS = "SELECT COALESCE(MAX(replay_count), 0) AS n FROM {dataset}.dead_letters"


@pytest.fixture
def quick_pulls(monkeypatch):
    monkeypatch.setattr(candidate_sources, "_PULL_SECONDS", 1.0)


@pytest.mark.usefixtures("quick_pulls")
def test_what_is_replayed_is_counted_and_nothing_is_doubled(
    topics, applied, rows_of, tmp_path, capsys
):
    names, publisher, _ = topics
    dataset = f"--dataset={applied.dataset}"
    letters = f"--dead_letter_subscription={names['dead-letters'][1]}"
    how = [f"--topic={names['events'][0]}", "--fix=assume_utc", "--max_replays=1"]
    sent = [*FACTS, *DEAD, *MENDABLE, HOPELESS]
    for payload in sent:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        publisher.publish(names["events"][0], data, origin="test").result()
    log = tmp_path / "pipeline.log"
    with streaming(names, applied.dataset, log) as process:
        wait_for(rows_of, len(sent), process, log)
        assert reconcile.main([dataset, f"--expected={len(sent)}"]) == 0
        assert rows_of(STORED) == [{"n": 0}]
        assert replay.main([letters, *how]) == 0
        wait_for(rows_of, len(sent) + 3, process, log)
    assert reconcile.main([dataset, f"--expected={len(sent) + 3}"]) == 0
    assert rows_of(STORED) == [{"n": 2}]
    assert rows_of(REPLAYS) == [{"n": 1}]

    capsys.readouterr()
    for source in (letters, dataset):  # the table still has the letters that were replayed
        assert replay.main([source, *how]) == 0
        again = capsys.readouterr().out
        assert "replayed " not in again
        assert f"{'schema_violation':<24}{'at --max_replays':<28}{1:>10}\n" in again
    assert f"{'schema_violation':<24}{'already a fact':<28}{2:>10}\n" in again
