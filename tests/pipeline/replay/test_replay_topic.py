"""The command over the dead-letter topic, against Google's Pub/Sub emulator."""

import signal
from collections import Counter

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from pipeline.replay import sending
from pipeline.replay.__main__ import lines
from pipeline.replay.candidate_sources import SubscriptionCandidates
from pipeline.replay.candidates import Outcome
from pipeline.replay.sending import replay
from schemas.errors import ErrorKind
from tests.pipeline.replay.replays import PROJECT, THEIRS, dead, ids, rules
from tests.transforms.builders import payload

CANARY = "canary-value"
NAIVE = payload(client_ts="2026-03-02T10:00:00", answer=CANARY, **{CANARY: 1})


def test_letters_go_back_as_they_were_and_are_counted(wire, capsys):
    wire.dead_letters(dead("m1", b"one"), dead("m2", b"two", replays=2))
    assert wire.replay() == 0
    assert wire.taken(wire.main) == [
        (b"one", THEIRS | {"replay_of": "m1", "replay_count": "1"}),
        (b"two", THEIRS | {"replay_of": "m0", "replay_count": "3"}),
    ]
    assert wire.taken(wire.dead) == []
    assert capsys.readouterr() == (f"{'not_json':<24}{'replayed':<28}{2:>10}\n", "")


def test_what_is_not_replayed_stays_and_can_be_had_at_once(wire, capsys):
    wire.dead_letters(
        dead("worn", replays=3),
        dead("cut", size=20_000_000),
        dead("store", kind=ErrorKind.STORE_ERROR),
        dead("other", kind=ErrorKind.TOO_LARGE),
        dead("goes", b"goes"),
    )
    foreign = PubsubMessage(data=b"no letter of ours", attributes={"error_kind": "not_json"})
    PublisherApi.publish(wire.publisher, topic=wire.dead[0], messages=[foreign])
    assert wire.replay("--kind=not_json", "--kind=store_error", "--kind=schema_violation") == 0
    assert [data for data, _ in wire.taken(wire.main)] == [b"goes", payload()]
    kinds = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert Counter(kinds) == {
        "not_json": 3,
        "store_error": 1,
        "too_large": 1,
        "(no dead letter)": 1,
    }
    left = wire.taken(wire.dead)
    assert Counter(a.get("message_id") for _, a in left) == Counter([None, "cut", "other", "worn"])


def test_store_errors_are_not_replayed_by_accident(wire):
    wire.dead_letters(dead("store", kind=ErrorKind.STORE_ERROR), dead("other"))
    assert wire.replay() == 0
    assert ids(wire.taken(wire.dead)) == ["store"]


def test_a_fix_mends_what_it_can_and_leaves_the_rest(wire):
    wire.dead_letters(dead("mends", NAIVE), dead("broken", b"{"))
    assert wire.replay("--fix=assume_utc") == 0
    [(data, _)] = wire.taken(wire.main)
    assert data == NAIVE.replace(b'10:00:00"', b'10:00:00Z"').replace(b": ", b":").replace(
        b", ", b","
    )
    assert ids(wire.taken(wire.dead)) == ["broken"]


def test_a_dry_run_sends_nothing_and_tells_no_value(wire, capsys):
    wire.dead_letters(dead("m1", NAIVE), dead("m2", b"{" + CANARY.encode()))
    assert wire.replay("--dry_run") == 0
    assert wire.taken(wire.main) == []
    assert len(wire.taken(wire.dead)) == 2
    out, _ = capsys.readouterr()
    assert f"{'not_json':<24}{'would be replayed':<28}{2:>10}\n" in out
    assert CANARY not in out
    assert "2026" not in out
    assert "answer string, 1 fields that the contract does not know\n" in out
    assert "bytes, no JSON object\n" in out


def test_a_topic_that_is_not_there_leaves_all_letters(wire, capsys):
    wire.dead_letters(dead("m1"), dead("m2"))
    wire.main = (f"projects/{PROJECT}/topics/nobody", None)
    assert wire.replay() == 1
    line = f"error: topic {wire.main[0]} does not exist: create it first\n"
    assert capsys.readouterr() == ("", line)
    assert len(wire.taken(wire.dead)) == 2


def test_letters_do_not_go_round_in_circles(wire, capsys):
    wire.dead_letters(dead("m1"))
    wire.main = wire.dead
    assert wire.replay() == 1
    assert capsys.readouterr().err == "error: --topic is the dead-letter topic itself\n"
    assert ids(wire.taken(wire.dead)) == ["m1"]


def test_letters_that_come_during_the_pass_wait_for_the_next(wire):
    wire.dead_letters(dead("before"))
    with SubscriptionCandidates(wire.subscriber, wire.dead[1]) as letters:
        found = []
        for batch in letters:
            found += [one.message_id for _, one in batch]
            if len(found) < 5:
                wire.dead_letters(dead(f"after-{len(found)}"))
    assert found == ["before"]
    assert "after-1" in ids(wire.taken(wire.dead))


def test_what_was_sent_before_an_interruption_is_done_with(wire, monkeypatch):
    """The topic is a stand-in here: no real one breaks off in the middle on request."""
    monkeypatch.setattr(sending, "_MAX_PUBLISH_MESSAGES", 1)
    sent = []

    def send(messages):
        if sent:
            raise ServiceUnavailable("away")
        sent.extend(messages)
        return set()

    wire.dead_letters(dead("m1"), dead("m2"))
    tally = Counter()
    with (
        pytest.raises(ServiceUnavailable),
        SubscriptionCandidates(wire.subscriber, wire.dead[1]) as letters,
    ):
        replay(letters, rules(), send, tally)
    assert len(sent) == 1
    assert tally == {("not_json", Outcome.REPLAYED): 1}
    assert len(wire.taken(wire.dead)) == 1


@pytest.fixture
def started_in_the_background():
    """SIGINT is ignored, as a shell without job control has it for what it starts with ``&``."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("started_in_the_background")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_run_again_it_sends_each_letter_once(wire, monkeypatch, capsys, number):
    monkeypatch.setattr(sending, "_MAX_PUBLISH_MESSAGES", 1)
    wire.dead_letters(*(dead(f"m{n}") for n in range(5)))
    publish, calls = PublisherApi.publish, []

    def a_signal_at_the_third(*arguments, **options):
        calls.append(None)
        if len(calls) == 3:
            signal.raise_signal(number)
        return publish(*arguments, **options)

    monkeypatch.setattr(PublisherApi, "publish", a_signal_at_the_third)
    assert wire.replay() == 1
    out, error = capsys.readouterr()
    assert (out.split()[-1], error) == ("2", "error: interrupted: run it again\n")
    assert wire.replay() == 0
    sent = [attributes["replay_of"] for _, attributes in wire.taken(wire.main)]
    assert sorted(sent) == [f"m{n}" for n in range(5)]


def test_what_the_topic_refuses_as_such_stays(wire, capsys):
    """A stand-in again: the emulator takes whatever it is sent."""
    wire.dead_letters(dead("m1", b"bad"), dead("m2", b"good"))
    tally = Counter()
    with SubscriptionCandidates(wire.subscriber, wire.dead[1]) as letters:
        replay(
            letters, rules(), lambda ms: {n for n, m in enumerate(ms) if m.data == b"bad"}, tally
        )
    assert tally == {("not_json", Outcome.REPLAYED): 1, ("not_json", Outcome.REJECTED): 1}
    assert ids(wire.taken(wire.dead)) == ["m1"]
    assert "rejected by Pub/Sub" in lines(tally, dry_run=False)[0]
