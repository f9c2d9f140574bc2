"""The replay itself: sends selected letters as messages, and counts the outcomes."""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from google.api_core.exceptions import GoogleAPICallError
from google.api_core.retry import Retry
from google.cloud.pubsub_v1 import PublisherClient
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1.types import PubsubMessage

from gcp.retry import send_in_halves
from pipeline.replay.candidate_sources import CandidateSource
from pipeline.replay.candidates import Outcome, ReplayCandidate, ReplayPolicy
from schemas.family import EventFamily
from transforms.dead_letters import MAX_MESSAGE_BYTES
from transforms.fixes import fields_of

_RETRY = Retry(timeout=60.0)  # for transient errors; a missing topic is not one
_TIMEOUT_SECONDS = 30.0
_MAX_PUBLISH_MESSAGES = 1_000
_EXAMPLES = 3
UNREADABLE = "(no dead letter)"

Tally: TypeAlias = collections.Counter[tuple[str, Outcome]]
# Takes messages, returns the indices of those that the topic rejects.
Send: TypeAlias = Callable[[Sequence[PubsubMessage]], set[int]]
# Takes a letter and the payload that is sent for it.
Show: TypeAlias = Callable[[ReplayCandidate, bytes], None]
_Chosen: TypeAlias = tuple[str, ReplayCandidate, PubsubMessage]


def replay(
    source: CandidateSource,
    rules: ReplayPolicy,
    send: Send,
    tally: Tally,
    advance: Callable[[int], None] = lambda _: None,
    *,
    acknowledge: bool = True,
    show: Show = lambda *_: None,
) -> None:
    """Sends the letters that the policy selects; acknowledges each once the topic has it.

    Args:
        source: the letters.
        rules: which letters to send, and with which fix.
        send: publishes to the topic.
        tally: letters by error kind and outcome, up to date even if an error ends the replay.
        advance: called with the number of letters processed so far.
        acknowledge: whether to acknowledge what was sent; False in a dry run.
        show: called with each letter to be sent.
    """
    for batch in source:
        chosen = []
        for key, letter in batch:
            if letter is None:
                tally[UNREADABLE, Outcome.NOT_SELECTED] += 1
                continue
            outcome, payload = rules.decide(letter)
            if outcome is Outcome.REPLAYED:
                show(letter, payload)
                chosen.append((key, letter, letter.again(payload)))
            else:
                tally[letter.error_kind, outcome] += 1
        for chunk in _chunks(chosen):
            rejected = send([message for _, _, message in chunk])
            if acknowledge:
                done = [key for n, (key, _, _) in enumerate(chunk) if n not in rejected]
                source.replayed(done)
            for place, (_, letter, _) in enumerate(chunk):
                outcome = Outcome.REJECTED if place in rejected else Outcome.REPLAYED
                tally[letter.error_kind, outcome] += 1
        advance(tally.total())


def _chunks(chosen: Sequence[_Chosen]) -> Iterator[list[_Chosen]]:
    """Chunks that fit into a publish request."""
    chunk: list[_Chosen] = []
    size = 0
    for item in chosen:
        item_size = PubsubMessage.pb(item[2]).ByteSize()
        if chunk and (
            len(chunk) == _MAX_PUBLISH_MESSAGES or size + item_size > MAX_MESSAGE_BYTES // 2
        ):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += item_size
    if chunk:
        yield chunk


def to_topic(client: PublisherClient, topic: str) -> Send:
    """Returns a Send for a topic; it blocks until each message is accepted or rejected."""

    def publish(messages: Sequence[PubsubMessage]) -> None:
        # The request itself: the client's publish() has no room for attributes named data or topic.
        PublisherApi.publish(
            client, topic=topic, messages=list(messages), retry=_RETRY, timeout=_TIMEOUT_SECONDS
        )

    def send(messages: Sequence[PubsubMessage]) -> set[int]:
        replies = send_in_halves(publish, messages)
        return {place for place, reply in replies if isinstance(reply, GoogleAPICallError)}

    return send


class Examples:
    """Describes the first few letters of each family that a dry run would send."""

    def __init__(self, families: Iterable[EventFamily]) -> None:
        self._families = {family.name: family for family in families}
        self._lines: dict[str, list[str]] = {}

    def show(self, letter: ReplayCandidate, payload: bytes) -> None:
        """Adds a letter."""
        name = letter.event_family or ""
        lines = self._lines.setdefault(name, [])
        if len(lines) < _EXAMPLES:
            family = self._families.get(name)
            lines.append(f"{name or 'no family'}, {redacted(payload, family)}")

    @property
    def lines(self) -> list[str]:
        """One line for each example."""
        return [line for lines in self._lines.values() for line in lines]


def redacted(payload: bytes, family: EventFamily | None) -> str:
    """The shape of a payload, without any value of it: sizes, contract fields and JSON types."""
    size = f"{len(payload):,} bytes"
    fields = fields_of(payload)
    if fields is None:
        return f"{size}, no JSON object"
    known = family.event.__struct_fields__ if family else ()
    parts = [f"{name} {_json_type(bytes(fields[name]))}" for name in known if name in fields]
    unknown = len(fields.keys() - set(known))
    parts += [f"{unknown} fields that the contract does not know"] if unknown and family else []
    parts += [] if family else [f"{unknown} fields"]
    return f"{size}: {', '.join(parts)}"


def _json_type(value: bytes) -> str:
    names = {b'"': "string", b"{": "object", b"[": "array", b"t": "boolean", b"f": "boolean"}
    return "null" if value == b"null" else names.get(value[:1], "number")
