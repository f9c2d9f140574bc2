"""Dead letters read back, and which of them a replay takes: no service is asked."""

import dataclasses
import datetime as dt
import json

import pytest
from google.pubsub_v1.types import PubsubMessage

from pipeline.replay.candidates import Outcome, ReplayCandidate, ReplayPolicy
from schemas.exam_event.family import FAMILY as EXAM_EVENT
from tests.pipeline.replay.replays import ALL, THEIRS
from tests.transforms.builders import NOW, letter, message, payload
from transforms.dead_letters import to_pubsub, to_row
from transforms.fixes import FIXES

SECOND = dt.timedelta(seconds=1)
DEAD = letter(
    message(attributes=THEIRS | {"replay_count": "1", "replay_of": "m0"}, message_id="m7"),
    field="answer",
    event_id="e1",
    replay_count=1,
)


def read(dead=DEAD):
    data, attributes = to_pubsub(dead)
    return ReplayCandidate.of_message(PubsubMessage(data=data, attributes=attributes))


def judged(dead=None, selection=ALL, fix=None, max_replays=3):
    found = dead if isinstance(dead, ReplayCandidate) else read(dead or DEAD)
    return ReplayPolicy([EXAM_EVENT], selection, FIXES.get(fix), max_replays).decide(found)[0]


def test_topic_and_table_tell_the_same():
    row = to_row(DEAD)._asdict() | {"is_fact": False}
    assert ReplayCandidate.of_row(row) == read()
    assert read() == ReplayCandidate(
        payload=payload(),
        attributes=THEIRS | {"replay_of": "m0"},
        message_id="m7",
        error_kind="not_json",
        error_field="answer",
        stage="ValidateEvents",
        event_family="exam_event",
        event_id="e1",
        failed_at=NOW,
        replay_count=1,
        truncated=False,
    )


def test_the_table_knows_attributes_that_ours_stood_over_on_the_topic():
    dead = letter(message(attributes={"source": "theirs", "replay_count": "2"}))
    found = ReplayCandidate.of_row(to_row(dead)._asdict() | {"is_fact": False})
    assert found.attributes == {"source": "theirs"}


def test_what_goes_out_is_the_original_and_counted():
    first = read(letter(message(attributes=THEIRS, message_id="m7")))
    out = first.again(b"mended")
    assert out.data == b"mended"
    assert dict(out.attributes) == THEIRS | {"replay_of": "m7", "replay_count": "1"}
    again = read().again(payload())
    assert dict(again.attributes) == THEIRS | {"replay_of": "m0", "replay_count": "2"}


def test_the_senders_attributes_of_our_names_go_back_from_the_topic_as_from_the_table():
    sent = {
        "source": "ios",
        "event_id": "dedupe-7",
        "sender_source": "x",
        "sender": "y",
        "app": "3",
    }
    dead = letter(message(attributes=sent, message_id="m7"))
    counted = {"replay_of": "m7", "replay_count": "1"}
    for found in (read(dead), ReplayCandidate.of_row(to_row(dead)._asdict() | {"is_fact": False})):
        assert found.attributes == sent
        assert dict(found.again(b"{}").attributes) == sent | counted


def test_replay_of_counts_only_where_a_replay_was_counted():
    of_sender = letter(message(attributes={"replay_of": "prod"}, message_id="m7"))
    assert read(of_sender).again(b"{}").attributes["replay_of"] == "m7"


@pytest.mark.parametrize("sent", [98, 99, 100])
def test_as_many_attributes_go_back_as_pubsub_takes(sent):
    attributes = {f"key {n}": "v" for n in range(sent)}
    dead = letter(message(attributes=attributes, message_id="m7"))
    out = dict(
        ReplayCandidate.of_row(to_row(dead)._asdict() | {"is_fact": False}).again(b"{}").attributes
    )
    assert len(out) == 100
    assert (out.pop("replay_of"), out.pop("replay_count")) == ("m7", "1")
    assert out.items() <= attributes.items()


def test_a_replay_of_a_message_with_100_attributes_drops_no_more():
    attributes = {f"key {n}": "v" for n in range(98)} | {"replay_count": "1", "replay_of": "m0"}
    dead = letter(message(attributes=attributes), replay_count=1)
    out = dict(
        ReplayCandidate.of_row(to_row(dead)._asdict() | {"is_fact": False}).again(b"{}").attributes
    )
    assert out == attributes | {"replay_count": "2"}


def test_a_long_id_fits_an_attribute_with_the_line_number():
    name = f"/{'é' * 600}/log.jsonl:000000007"
    dead = letter(message(message_id=name))
    for found in (read(dead), ReplayCandidate.of_row(to_row(dead)._asdict() | {"is_fact": False})):
        first_id = found.again(b"{}").attributes["replay_of"]
        assert len(first_id.encode()) <= 1024
        assert name.endswith(first_id)


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02T10:00:00"]
)
def test_a_letter_whose_time_is_no_time_is_no_letter_of_ours(time):
    data, attributes = to_pubsub(DEAD)
    with pytest.raises(ValueError, match="failed_at"):
        ReplayCandidate.of_message(
            PubsubMessage(data=data, attributes=attributes | {"failed_at": time})
        )


@pytest.mark.parametrize("missing", ["message_id", "error_kind", "stage", "failed_at"])
def test_what_is_no_letter_of_ours_is_told(missing):
    data, attributes = to_pubsub(DEAD)
    del attributes[missing]
    with pytest.raises(ValueError, match=missing):
        ReplayCandidate.of_message(PubsubMessage(data=data, attributes=attributes))
    with pytest.raises(ValueError, match="Invalid isoformat"):
        ReplayCandidate.of_message(
            PubsubMessage(data=data, attributes=attributes | {missing: "x", "failed_at": "x"})
        )


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"kinds": frozenset({"not_json"})}, True),
        ({"kinds": frozenset({"too_large"})}, False),
        ({"start": NOW}, True),
        ({"start": NOW + SECOND}, False),
        ({"end": NOW + SECOND}, True),
        ({"end": NOW}, False),
        ({"test": "t1"}, True),
        ({"test": "t2"}, False),
        ({"ids": frozenset({"m7"})}, True),
        ({"ids": frozenset({"e1", "x"})}, True),
        ({"ids": frozenset({"x"})}, False),
    ],
)
def test_only_what_is_asked_for_is_taken(change, taken):
    expected = Outcome.REPLAYED if taken else Outcome.NOT_SELECTED
    assert judged(selection=dataclasses.replace(ALL, **change)) is expected


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"test_id": 1}', b"{}", b"[" * 200_000]
    + [b'{"test_id": "%s"}' % text for text in (b"\\ud800", b"\\x", b"\x01", b"t1\xff")],
)
def test_a_body_without_a_test_is_of_no_test(body):
    assert (
        judged(letter(message(body)), dataclasses.replace(ALL, test="t1")) is Outcome.NOT_SELECTED
    )


def test_an_id_list_does_not_match_what_has_no_id():
    nameless = letter(message(b"", message_id="m9"))
    assert judged(nameless, dataclasses.replace(ALL, ids=frozenset({"e1"}))) is Outcome.NOT_SELECTED


def test_a_letter_is_replayed_so_often_and_no_more():
    assert judged(dataclasses.replace(read(), replay_count=2)) is Outcome.REPLAYED
    assert judged(dataclasses.replace(read(), replay_count=3)) is Outcome.MAX_REPLAYS
    assert judged(dataclasses.replace(read(), replay_count=4)) is Outcome.MAX_REPLAYS
    assert judged(max_replays=1) is Outcome.MAX_REPLAYS


def test_what_is_only_a_beginning_or_a_fact_stays():
    assert judged(letter(message(b"x" * 10, size=20_000_000))) is Outcome.TRUNCATED
    assert judged(dataclasses.replace(read(), is_fact=True)) is Outcome.IS_FACT


def test_a_body_that_is_no_text_is_of_no_test_and_stays():
    spoilt = read(letter(message(b'{"test_id": "t1\xff", "client_ts": "2026-03-02T10:00:00\xff"}')))
    of_test = dataclasses.replace(ALL, test="t1")
    rules = ReplayPolicy([EXAM_EVENT], of_test, FIXES["assume_utc"], 3)
    assert rules.decide(spoilt) == (Outcome.NOT_SELECTED, spoilt.payload)


def test_a_fix_mends_or_leaves():
    naive = payload(client_ts="2026-03-02T10:00:00")
    rules = ReplayPolicy([EXAM_EVENT], ALL, FIXES["assume_utc"], 3)
    result, mended = rules.decide(read(letter(message(naive))))
    assert result is Outcome.REPLAYED
    assert json.loads(mended)["client_ts"] == "2026-03-02T10:00:00Z"
    assert rules.decide(read()) == (Outcome.NOT_FIXED, payload())
