"""The command against Google's Pub/Sub emulator and bqemulator."""

import signal
import uuid
from collections import Counter

import pytest
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from pipeline.replay import candidate_sources, sending
from pipeline.replay.__main__ import lines, main
from pipeline.replay.candidate_sources import SubscriptionCandidates
from pipeline.replay.candidates import Outcome, ReplayPolicy
from pipeline.replay.sending import redacted, replay
from pipeline.sinks.insert_rows import json_row
from schemas.errors import ErrorKind
from schemas.exam_event.family import EXAM_EVENT
from tests.pipeline.test_letters import ALL
from tests.transforms.builders import NOW, letter, message, payload
from transforms.dead_letters import DeadLetterRow, to_pubsub, to_row

PROJECT = "local-exams"
CANARY = "canary-value"
NAIVE = payload(client_ts="2026-03-02T10:00:00", answer=CANARY, **{CANARY: 1})
THEIRS = {"app": "ios", "data": "a", "topic": "b", "retry": "c"}


class Wire:
    """Two topics with a subscription each, and clients for them."""

    def __init__(self, publisher, subscriber):
        self.publisher, self.subscriber = publisher, subscriber
        self.main, self.dead = (self._make(role) for role in ("events", "dead"))

    def _make(self, role):
        name = f"{role}-{uuid.uuid4().hex}"
        topic, subscription = (
            f"projects/{PROJECT}/{k}/{name}" for k in ("topics", "subscriptions")
        )
        self.publisher.create_topic(name=topic)
        self.subscriber.create_subscription(name=subscription, topic=topic)
        return topic, subscription

    def dead_letters(self, *letters):
        messages = []
        for one in letters:
            data, attributes = to_pubsub(one)
            messages.append(PubsubMessage(data=data, attributes=attributes))
        PublisherApi.publish(self.publisher, topic=self.dead[0], messages=messages)

    def taken(self, which):
        """What a subscription holds ready: (data, attributes), in order; acknowledges it."""
        found = []
        while True:
            try:
                pulled = self.subscriber.pull(subscription=which[1], max_messages=100, timeout=1)
            except DeadlineExceeded:
                break
            if not pulled.received_messages:
                break
            ack_ids = [r.ack_id for r in pulled.received_messages]
            self.subscriber.acknowledge(subscription=which[1], ack_ids=ack_ids)
            found += [
                (r.message.data, dict(r.message.attributes)) for r in pulled.received_messages
            ]
        return sorted(found, key=str)

    def replay(self, *options):
        return main(
            [f"--dead_letter_subscription={self.dead[1]}", f"--topic={self.main[0]}", *options]
        )


@pytest.fixture
def wire(pubsub_emulator, monkeypatch):
    monkeypatch.setattr(candidate_sources, "_PULL_SECONDS", 1.0)
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        yield Wire(publisher, subscriber)
        publisher.stop()


def dead(message_id, body=None, kind=ErrorKind.NOT_JSON, replays=0, **more):
    attributes = THEIRS | ({"replay_count": str(replays), "replay_of": "m0"} if replays else {})
    return letter(
        message(body, message_id=message_id, attributes=attributes, **more),
        error_kind=kind,
        replay_count=replays,
    )


def ids(letters):
    return [attributes["message_id"] for _, attributes in letters]


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
    told = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert Counter(told) == {"not_json": 3, "store_error": 1, "too_large": 1, "(no dead letter)": 1}
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
    _, error = capsys.readouterr()
    assert error.startswith("error: 404 ")
    assert error.endswith(": run it again\n")
    assert error.count("\n") == 1
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
    assert tally == {("not_json", Outcome.REPLAYED): 1, ("not_json", Outcome.REFUSED): 1}
    assert ids(wire.taken(wire.dead)) == ["m1"]
    assert "refused by Pub/Sub" in lines(tally, dry_run=False)[0]


def rules():
    return ReplayPolicy(EXAM_EVENT, ALL, None, 3)


def insert(warehouse, *letters):
    rows = [json_row(DeadLetterRow._fields, to_row(one)) for one in letters]
    assert not warehouse.client.insert_rows_json(warehouse.dataset.table("dead_letters"), rows)


def test_letters_of_the_table_go_back_once(applied, wire, tmp_path, capsys):
    insert(
        applied,
        dead("m1", b"one"),
        dead("m1", b"one"),  # written twice
        dead("m1-again", b"one", replays=1),
        dead("m2", b"\x00\xff"),
        dead("store", kind=ErrorKind.STORE_ERROR),
        dead("cut", b"x" * 1_100_000),
        dead("asked-not", b"three"),
    )
    file = tmp_path / "ids.txt"
    file.write_text("m2\n\ncut\r\nm1\n")
    command = [f"--dataset={applied.dataset}", f"--topic={wire.main[0]}"]
    assert main([*command, f"--ids={file}"]) == 0
    out, _ = capsys.readouterr()
    assert "Dead letters: " in out
    assert wire.taken(wire.main) == [
        (b"\x00\xff", THEIRS | {"replay_of": "m2", "replay_count": "1"}),
        (b"one", THEIRS | {"replay_of": "m1", "replay_count": "1"}),
    ]
    assert main([*command, "--start=2026-03-03T00:00:00Z"]) == 0
    assert capsys.readouterr().out.endswith("no dead letters\n")


def test_an_interrupted_pass_over_the_table_says_how_to_go_on(applied, wire, capsys):
    insert(applied, dead("m1"))
    command = [f"--dataset={applied.dataset}", f"--topic=projects/{PROJECT}/topics/nobody"]
    assert main(command) == 1
    assert capsys.readouterr().err.endswith(f": go on with --start {NOW.isoformat()}\n")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--dataset=local-exams.x"],
        ["--topic=projects/local-exams/topics/events"],
        ["--dataset=local-exams.x", "--dead_letter_subscription=projects/p/subscriptions/dead"],
        ["--dataset=local-exams.x", "--topic=events"],
        ["--kind=all"],
        ["--fix=everything"],
        ["--max_replays=0"],
        ["--ids=/no/such/file"],
        ["--start=2026-03-02T10:00:00"],
        ["--start=2026-03-02T10:00:00Z", "--end=2026-03-02T10:00:00Z"],
    ],
)
def test_wrong_arguments_are_one_line(options, capsys):
    usual = ["--dataset=local-exams.x", "--topic=projects/local-exams/topics/events"]
    complete = not options or any("dataset" in o or "topic" in o for o in options)
    with pytest.raises(SystemExit) as ended:
        main(options if complete else [*usual, *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("body", "reason"), [(b"", "there are no ids"), (b"\xff", "not UTF-8")])
def test_a_wrong_id_file_is_one_line(body, reason, tmp_path, capsys):
    file = tmp_path / "ids.txt"
    file.write_bytes(body)
    with pytest.raises(SystemExit):
        main(
            ["--dataset=local-exams.x", "--topic=projects/local-exams/topics/t12", f"--ids={file}"]
        )
    assert reason in capsys.readouterr().err


def test_a_payload_is_told_by_its_shape():
    body = (
        b'{"event_id": "a", "attempt_no": 1, "answer": null, "is_correct_answer": true, '
        b'"error_payload": {}, "z": []}'
    )
    assert redacted(body, EXAM_EVENT) == (
        f"{len(body)} bytes: event_id string, answer null, is_correct_answer boolean, "
        "attempt_no number, error_payload object, 1 fields that the contract does not know"
    )
    assert redacted(b"[1]", EXAM_EVENT) == "3 bytes, no JSON object"
