"""What a capture needs of the server, and what it says where that is missing."""

import psycopg
import pytest

from pipeline.capture import loop
from pipeline.sources.postgres.input import SourceError
from tests.pipeline.capture.capturing import Captured


@pytest.fixture
def fresh(school, topic, slot):
    """A capture whose slot and publication do not exist."""
    captured = Captured(topic, slot)
    yield captured
    captured.engine.dispose()


def names(school, sql):
    with psycopg.connect(school.url) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


def test_slot_and_publication_are_made_where_neither_is(school, fresh):
    school.answer(1)
    assert fresh.events(0) == []
    tables = names(
        school,
        f"SELECT tablename FROM pg_publication_tables WHERE pubname = '{fresh.slot.publication}'",
    )
    assert sorted(tables) == [
        *("answers", "questions", "sessions", "students", "submissions", "teachers", "tests")
    ]
    school.answer(2)
    fresh.restart()
    fresh.events(1)


def test_a_dropped_slot_is_not_made_again_in_silence(school, captured):
    school.execute(f"SELECT pg_drop_replication_slot('{captured.slot.name}')")
    gone = "replication slot .* does not exist, and changes since it was dropped are not captured"
    for _ in range(2):
        with pytest.raises(SourceError, match=gone) as caught:
            captured.capture.run(1)
        assert "\n" not in str(caught.value)
        captured.restart()
    school.execute(f"SELECT pg_create_logical_replication_slot('{captured.slot.name}', 'pgoutput')")
    school.answer(1)
    captured.events(1)


def test_a_slot_without_its_publication(school, captured):
    school.execute(f"DROP PUBLICATION {captured.slot.publication}")
    school.answer(1)
    with pytest.raises(SourceError, match=r"publication .* does not exist, and slot .*: drop"):
        captured.capture.run(1)


def test_a_slot_of_another_kind(school, fresh):
    school.execute(f"SELECT pg_create_physical_replication_slot('{fresh.slot.name}')")
    school.execute(f"CREATE PUBLICATION {fresh.slot.publication} FOR ALL TABLES")
    with pytest.raises(SourceError, match="is not a pgoutput slot of this database"):
        fresh.read()
    school.execute(f"SELECT pg_drop_replication_slot('{fresh.slot.name}')")


def test_a_slot_whose_wal_is_removed(captured):
    with pytest.raises(SourceError, match=r"is lost, since the server has removed WAL .* --full"):
        captured.slot._check_slot(("pgoutput", "t", "lost"))


def test_a_publication_that_lacks_a_table(school, captured):
    publication = captured.slot.publication
    school.execute(f"ALTER PUBLICATION {publication} DROP TABLE answers")
    captured.restart()
    with pytest.raises(SourceError, match=r'ADD TABLE "public"."answers"'):
        captured.read()


def test_a_publication_without_updates(school, captured):
    school.execute(f"ALTER PUBLICATION {captured.slot.publication} SET (publish = 'insert')")
    captured.restart()
    with pytest.raises(SourceError, match="must publish insert, update, delete and truncate"):
        captured.read()


def test_a_table_without_a_key_is_not_published(school, fresh):
    """Its updates would fail in the app from then on."""
    school.execute("ALTER TABLE submissions DROP CONSTRAINT submissions_pkey")
    with pytest.raises(SourceError, match="table submissions has no primary key"):
        fresh.read()
    assert names(school, "SELECT pubname FROM pg_publication") == []


def test_a_user_who_may_not_make_a_publication(school, monkeypatch, topic, slot):
    role = f"reader_{slot}"
    school.execute(
        f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'p'; "
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    )
    try:
        host = school.url.partition("@")[2]
        monkeypatch.setenv("DATABASE_URL", f"postgresql://{role}:p@{host}")
        captured = Captured(topic, slot)
        with pytest.raises(
            SourceError, match="run as the owner of the tables: CREATE PUB"
        ) as caught:
            captured.read()
        school.execute(str(caught.value).partition("tables: ")[2])
        school.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        captured.read()
        school.answer(1)
        captured.events(1)
        captured.engine.dispose()
    finally:
        school.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_slot_in_use_is_waited_for(captured):
    fault = captured.capture._database_fault(psycopg.errors.ObjectInUse())
    assert "is in use by another process" in fault


def test_a_transaction_larger_than_a_reading_comes_in_batches(school, captured, monkeypatch):
    monkeypatch.setattr(loop, "_PEEKED", 40)
    monkeypatch.setattr(loop, "_BATCH_CHANGES", 30)
    sizes = []
    publish = loop.publish

    def counting(publisher, topic, messages):
        sizes.append(len(messages))
        return publish(publisher, topic, messages)

    monkeypatch.setattr(loop, "publish", counting)
    school.execute(
        "INSERT INTO answers SELECT i, 's1', 'q1', 'test-1', 'session-1', 'B', now() "
        "FROM generate_series(1, 100) AS i"
    )
    for number in range(101, 121):
        school.answer(number)
    events = captured.events(120)
    assert len({event["event_id"] for event in events}) == 120
    assert sizes[:4] == [30, 30, 30, 10]
    assert captured.events(0) == []


def test_a_message_too_large_for_pubsub_is_left_out_and_counted(school, captured, caplog):
    school.answer(1, option="x" * 10_500_000)
    school.answer(2)
    captured.events(1)
    assert captured.counted("exam_events_capture_rejected_total") == 1
    assert "1 messages are larger than Pub/Sub accepts" in caplog.text


def test_health_says_what_it_waits_for_and_how_much_wal_is_kept(school, captured, monkeypatch):
    assert captured.health.fault() is None
    captured.health.keeps(captured.slot.retained_bytes(captured.engine))
    assert captured.counted("exam_events_capture_slot_retained_bytes") > 0
    captured.health.keeps(1_000_000_001)
    assert "keep 1,000,000,001 bytes of WAL, more than --max_slot_lag" in captured.health.fault()
    captured.health.waits_for("Pub/Sub does not answer")
    monkeypatch.setattr("time.monotonic", lambda: captured.health._alive_at + 61)
    assert captured.health.fault() == "nothing was captured for 61 s: Pub/Sub does not answer"
