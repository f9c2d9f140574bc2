"""The source in a pipeline, and under writers."""

import json
import logging
import random
import threading
import time

import apache_beam as beam
import psycopg
import pytest
from apache_beam.internal import pickler
from apache_beam.testing.util import assert_that

from pipeline.options import BOUNDED_RUNNER
from pipeline.sources.postgres.plan import ranges
from pipeline.sources.postgres.source import RANGES_READ, ROWS_READ, ReadPostgres, ReadRanges
from schemas import metrics
from tests.pipeline.sources.postgres.pulling import Puller

WRITERS, PULLS = 6, 12
LONGER_THAN_A_PULL_SECONDS = 1.5


def key():
    return b"secret"


def test_a_pipeline_reads_every_row_as_a_message(school):
    for number in range(10):
        school.answer(number)
    puller = Puller(rows_per_range=4, pseudonym_key=key)
    pull = puller.begin()
    began = pull.began

    def check(messages):
        assert len({message.message_id for message in messages}) == len(messages) == 10 + 6
        assert {message.publish_time for message in messages} == {began}
        answers = [m for m in messages if m.source == "postgres:answers"]
        assert len(answers) == 10
        assert {m.attributes["event_family"] for m in answers} == {"exam_event"}
        assert all(json.loads(m.payload)["event_type"] == "answer" for m in answers)

    with beam.Pipeline(runner=BOUNDED_RUNNER) as pipeline:
        messages = pipeline | "ReadMessages" >> ReadPostgres(puller.source, pull)
        assert_that(messages, check)
    counters = metrics.counters(pipeline.result.metrics())
    assert counters[ROWS_READ] == 15
    assert counters[RANGES_READ] == 3 + 6


def test_what_travels_holds_no_password(school):
    puller = Puller()
    pull = puller.begin()
    pickled = pickler.dumps(ReadPostgres(puller.source, pull), enable_trace=False)
    password = psycopg.conninfo.conninfo_to_dict(school.url)["password"]
    assert password not in str(pickler.loads(pickled).__dict__)
    assert password.encode() not in pickled


@pytest.mark.parametrize("is_watched", [True, False])
def test_who_watches_sees_how_far_it_is(school, monkeypatch, caplog, is_watched):
    for number in range(7):
        school.answer(number)
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_watched, raising=False)
    puller = Puller(rows_per_range=3, families=frozenset({"exam_event"}))
    reads = ReadRanges(puller.source, puller.begin())
    reads.setup()
    with caplog.at_level(logging.INFO):
        for part in ranges(puller.engine, puller.source, puller.last, "answers"):
            list(reads.process(part))
    reads.teardown()
    shown = [f"answers: {number} of 3 ranges read" for number in (1, 2, 3)]
    assert [m for m in caplog.messages if "ranges read" in m] == (shown if is_watched else [])


class Writer(threading.Thread):
    """Writes answers in transactions that overlap, with savepoints, updates and rollbacks."""

    def __init__(self, url, number, stop):
        super().__init__(daemon=True)
        self.url, self.number, self.stop = url, number, stop
        self.written = {}

    def run(self):
        choose = random.Random(self.number)
        with psycopg.connect(self.url, autocommit=True) as connection:
            sequence = 0
            while not self.stop.is_set():
                kept = {}
                with connection.transaction() as whole:
                    for _ in range(choose.randrange(1, 4)):
                        sequence += 1
                        rows = {str(self.number * 1_000_000 + sequence): choose.choice("ABCD")}
                        if sequence > 5 and choose.random() < 0.3:
                            old = self.number * 1_000_000 + choose.randrange(1, sequence)
                            rows = {str(old): f"changed {sequence}"}
                        undone = choose.random() < 0.2
                        with connection.transaction(force_rollback=undone):
                            for name, option in rows.items():
                                write(connection, name, option)
                        kept |= {} if undone else rows
                        time.sleep(choose.random() * 0.01)
                    if choose.random() < 0.1:
                        time.sleep(LONGER_THAN_A_PULL_SECONDS)
                    if choose.random() < 0.2:
                        kept = {}
                        raise psycopg.Rollback(whole)
                self.written |= kept


def write(connection, name, option):
    connection.execute(
        "INSERT INTO answers (answer_id, student_id, question_id, test_id, session_id, "
        "submitted_option) VALUES (%s, 's1', 'q1', 'test-1', 'session-1', %s) "
        "ON CONFLICT (answer_id) DO UPDATE SET submitted_option = excluded.submitted_option",
        (name, option),
    )


def test_six_writers_and_no_row_lost(school):
    """Every version that is the last one of its row, in the database, was pulled."""
    stop = threading.Event()
    writers = [Writer(school.url, number, stop) for number in range(1, WRITERS + 1)]
    puller = Puller(rows_per_range=50, families=frozenset({"exam_event"}))
    pulled = {}
    for writer in writers:
        writer.start()
    try:
        for _ in range(PULLS):
            pulled |= {r.key[0]: r.values["submitted_option"] for r in puller.rows("answers")}
            time.sleep(0.1)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    pulled |= {r.key[0]: r.values["submitted_option"] for r in puller.rows("answers")}
    written = {name: option for writer in writers for name, option in writer.written.items()}
    assert len(written) > 10 * WRITERS
    assert pulled == written
