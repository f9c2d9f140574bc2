import collections
import dataclasses
import datetime as dt
import hashlib
from pathlib import Path

import fastavro
import msgspec
import pytest

from local_runner.traffic.archive import write_archive
from local_runner.traffic.malformed import MALFORMED
from local_runner.traffic.simulate import DUPLICATE, FACT, simulate
from schemas.errors import ContractError, ErrorKind
from schemas.event_time import EventTimeBounds
from schemas.exam_event.event import EventType, ExamEvent
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from transforms.decoding.decode import Decoder

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
# The contract's defaults (DESIGN 2).
BOUNDS = EventTimeBounds(max_age=dt.timedelta(days=1800), max_ahead=dt.timedelta(days=1))


@pytest.fixture(scope="module")
def traffic():
    return simulate(2_500, seed=1, start=START)


@pytest.fixture(scope="module")
def events(traffic):
    valid = {FACT, DUPLICATE, ErrorKind.STORE_ERROR}
    return [msgspec.json.decode(m.payload) for m in traffic if m.outcome in valid]


def outcome(decoder, message, seen):
    """What the contract makes of a message that arrives after those whose events are seen."""
    try:
        event: ExamEvent = decoder.decode(message.payload)[0]
        published = START + dt.timedelta(seconds=message.offset_seconds)
        BOUNDS.check("client_ts", event.client_ts, published, "publish time")
        for rule in EXAM_EVENT.rules:
            rule(event)
    except ContractError as error:
        return error.kind
    if event.event_type is EventType.STORE_ERROR:
        return ErrorKind.STORE_ERROR
    known = event.event_id in seen
    seen.add(event.event_id)
    return DUPLICATE if known else FACT


def test_the_same_seed_and_start_give_the_same_messages(traffic):
    assert simulate(2_500, seed=1, start=START) == traffic
    assert simulate(2_500, seed=2, start=START) != traffic


def test_the_exam_messages_of_a_seed_have_not_changed(traffic):
    """Benchmarks and examples name a seed."""
    sent = hashlib.sha256()
    for message in traffic:
        sent.update(
            message.payload + repr((message.attributes, round(message.offset_seconds, 3))).encode()
        )
    assert sent.hexdigest()[:16] == "a3438f8562cada9b"


@pytest.mark.parametrize("size", [1, 7, 300, 2_500])
def test_there_are_as_many_messages_as_asked_for(size):
    assert len(simulate(size, seed=3, start=START)) == size


@pytest.mark.parametrize("seed", range(5))
def test_the_labels_are_what_the_contract_says(seed):
    decoder, seen = Decoder(EXAM_EVENT), set()
    for message in simulate(800, seed, START):
        assert outcome(decoder, message, seen) == message.outcome, message.payload[:500]


def test_every_way_of_being_malformed_has_the_kind_it_stands_under():
    decoder = Decoder(EXAM_EVENT)
    valid = next(m for m in simulate(50, 1, START) if m.outcome == FACT)
    event = msgspec.json.decode(valid.payload)
    for kind, ways in MALFORMED.items():
        for way in ways:
            message = dataclasses.replace(valid, payload=way(event))
            assert outcome(decoder, message, set()) == kind, way


def test_every_outcome_is_there(traffic):
    outcomes = {message.outcome for message in traffic}
    unprovoked = {ErrorKind.REJECTED_BY_WAREHOUSE, ErrorKind.INTERNAL_ERROR}
    assert outcomes == {FACT, DUPLICATE, *ErrorKind} - unprovoked


def test_a_hundred_messages_show_every_kind_of_malformed_message():
    outcomes = {message.outcome for message in simulate(100, 1, START)}
    assert outcomes >= set(MALFORMED)


def test_pubsub_takes_every_message(traffic):
    """It refuses what has neither data nor attributes, and more than 10 MB."""
    assert all(message.attributes for message in traffic)
    assert all(len(message.payload) < 10_000_000 for message in traffic)


def test_messages_come_in_order_of_arrival_and_events_do_not(traffic, events):
    offsets = [message.offset_seconds for message in traffic]
    assert offsets == sorted(offsets)
    times = [dt.datetime.fromisoformat(event["client_ts"]) for event in events]
    assert times != sorted(times)


def test_copies_are_redelivered_or_conflict(traffic):
    bodies = collections.defaultdict(list)
    for message in traffic:
        if message.outcome in {FACT, DUPLICATE}:
            bodies[msgspec.json.decode(message.payload)["event_id"]].append(message.payload)
    copies = [group for group in bodies.values() if len(group) > 1]
    assert any(len(set(group)) == 1 for group in copies)
    assert any(len(set(group)) > 1 for group in copies)


def test_sessions_are_those_of_a_real_day(events):
    kinds = collections.defaultdict(set)
    for event in events:
        kinds[event["session_id"]].add(event["event_type"])
    sent = set(EventType) - {EventType.ANSWER}  # which the app of a platform without attempts sends
    assert set().union(*kinds.values()) == sent
    assert any("session_start" not in types for types in kinds.values())
    assert any("session_end" not in types for types in kinds.values())
    assert any("test_submit" not in types for types in kinds.values())
    assert any("device" in event for event in events), "no field unknown to the contract"


def test_lateness_comes_in_every_shape(events):
    submits = [e for e in events if e["event_type"] == EventType.TEST_SUBMIT]
    by_expiry = [e for e in submits if "session_expiry_ts" in e]
    assert any(e["client_ts"] > e["session_expiry_ts"] for e in by_expiry)
    assert any(e["client_ts"] < e["session_expiry_ts"] for e in by_expiry)
    assert any("session_duration_seconds" in e for e in submits)
    assert any("is_late_submission" in e for e in submits)
    carriers = {"session_expiry_ts", "session_duration_seconds", "is_late_submission"}
    assert any(not carriers & e.keys() for e in submits)


def test_the_archive_holds_the_same_messages(traffic, tmp_path):
    path = tmp_path / "sub" / "traffic.avro"
    write_archive(traffic[:50], path, "projects/local-exams/subscriptions/s", START)
    with path.open("rb") as file:
        records = list(fastavro.reader(file))
    assert [record["data"] for record in records] == [m.payload for m in traffic[:50]]
    numbers = ("000000001", "000000002", "000000003")
    assert [record["message_id"] for record in records[:3]] == [f"{path}:{n}" for n in numbers]
    first = records[0]
    assert first["attributes"] == traffic[0].attributes
    assert first["subscription_name"] == "projects/local-exams/subscriptions/s"
    expected = START + dt.timedelta(seconds=traffic[0].offset_seconds)
    assert first["publish_time"] == expected


def test_the_ids_of_two_archives_differ(traffic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = set()
    for path in (Path("mon/traffic.avro"), Path("tue/traffic.avro")):
        write_archive(traffic[:5], path, "projects/local-exams/subscriptions/s", START)
        with path.open("rb") as file:
            found |= {record["message_id"] for record in fastavro.reader(file)}
    assert len(found) == 10
