"""A batch whose run fails: between a batch made by hand and bqemulator."""

import dataclasses
import json

import apache_beam as beam
import pytest
from apache_beam.utils.shared import Shared
from google.api_core.exceptions import ServiceUnavailable

from pipeline.lookups.lateness_settings import SettingsTable
from pipeline.micro_batch.batches import Batches
from pipeline.micro_batch.source import ReadBatch
from pipeline.options import parse
from tests.support.events import NOW, event
from tests.support.payloads import kinds
from transforms.decoding.decode import Decoder
from transforms.lateness.steps import Lookups
from transforms.rows import FactRows

SUBSCRIPTION = "projects/local-exams/subscriptions/events"
TOPIC = "projects/local-exams/topics/dead"


@dataclasses.dataclass(frozen=True)
class Pulled:
    """Stands for a message of the Pub/Sub client."""

    message_id: str
    data: bytes
    attributes: dict[str, str]
    publish_time = NOW


def pulled(count):
    return [
        Pulled(f"m{n}", json.dumps(event(f"e{n}")).encode(), {"number": str(n)})
        for n in range(count)
    ]


@pytest.fixture
def batches(applied):
    config, options = parse(
        [
            "--micro_batch",
            f"--dataset={applied.dataset}",
            f"--input_subscription={SUBSCRIPTION}",
            f"--dead_letter_topic={TOPIC}",
        ]
    )
    config = dataclasses.replace(config, dead_letter_topic=None)
    settings = SettingsTable(config.dataset, config.settings_refresh_seconds)
    return Batches(config, config.asked_bounds, options, Lookups(settings))


@pytest.fixture
def failing(monkeypatch):
    """Has the graph fail on some messages, where no step of ours catches it."""
    works = FactRows.message

    def fail_on(*message_ids):
        def message(self, element):
            if element[0].message.message_id in message_ids:
                raise ZeroDivisionError("a value of the payload")
            return works(self, element)

        monkeypatch.setattr(FactRows, "message", message)

    return fail_on


def written(rows_of):
    rows = rows_of("SELECT DISTINCT message_id FROM {dataset}.events_fact")
    return {row["message_id"] for row in rows}


def test_one_pipeline_runs_batch_after_batch(batches, rows_of):
    messages = pulled(30)
    assert [batches.run(messages[:20])["received"], batches.run(messages[20:])["received"]] == [
        20,
        10,
    ]
    assert len(written(rows_of)) == 30


def test_the_message_at_fault_becomes_a_dead_letter_and_no_other(batches, failing, rows_of, caplog):
    failing("m3", "m9")
    counts = batches.run(pulled(16))
    assert written(rows_of) == {f"m{n}" for n in range(16)} - {"m3", "m9"}
    assert kinds(rows_of) == {"internal_error": 2}
    letters = rows_of(
        "SELECT message_id, stage, error_message, payload, TO_JSON_STRING(attributes) AS sent "
        "FROM {dataset}.dead_letters ORDER BY message_id"
    )
    assert [letter["message_id"] for letter in letters] == ["m3", "m9"]
    assert {letter["stage"] for letter in letters} == {"RunBatch"}
    assert letters[0]["payload"] == pulled(4)[3].data
    assert json.loads(letters[0]["sent"]) == {"number": "3"}
    assert "ZeroDivisionError" in letters[0]["error_message"]
    assert counts["dead_letter_internal_error"] == 2
    assert "value of the payload" not in caplog.text


def test_code_that_fails_whatever_the_message_makes_no_dead_letters(batches, monkeypatch, rows_of):
    monkeypatch.setattr(Decoder, "__init__", lambda self, family: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        batches.run(pulled(4))
    assert kinds(rows_of) == {}


def test_a_run_without_its_batch_fails_and_does_not_read_nothing():
    pipeline = beam.Pipeline("FnApiRunner")
    _ = pipeline | ReadBatch(Shared())
    with pytest.raises(RuntimeError, match="only where it is held"):
        pipeline.run()


@pytest.mark.parametrize(
    "failure", [ServiceUnavailable("away"), OSError(28, "no space left on device"), MemoryError()]
)
def test_what_is_no_fault_of_a_message_is_waited_out(batches, monkeypatch, failure, rows_of):
    failures = [failure, failure]
    works = SettingsTable.open

    def open_after_failures(self):
        if failures:
            raise failures.pop()
        works(self)

    monkeypatch.setattr(SettingsTable, "open", open_after_failures)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert batches.run(pulled(4))["written"] == 4
    assert kinds(rows_of) == {}
