"""Routes the messages of a topic with several kinds of events, each to its event family."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput
from apache_beam.typehints.decorators import no_annotations

from schemas import metrics
from schemas.dead_letter import DeadLetter
from schemas.errors import ContractError, ErrorKind, Rejection
from schemas.family import EventFamily
from schemas.message import Message
from transforms.dead_letters import DeadLetterFactory, internal_error
from transforms.decoding.decode import UNREADABLE, too_large, unreadable
from transforms.steps import DEAD_LETTERS

FAMILY_ATTRIBUTE = "event_family"
_EVENT_TYPE = "event_type"
_NULL = msgspec.Raw(b"null")
_TEXT = msgspec.json.Decoder(str)


class Router:
    """Finds the family of a message. Create it once per worker: it is not picklable."""

    def __init__(self, families: Sequence[EventFamily]) -> None:
        self._names = frozenset(family.name for family in families)
        self._by_type: dict[str, list[EventFamily]] = {}
        for family in families:
            for event_type in family.event_types:
                self._by_type.setdefault(event_type, []).append(family)
        deciding = {family.route_by for family in families if family.route_by}
        # As bytes: a value of any kind can be looked at, a number of thousands of digits as well.
        fields: list[Any] = [
            (name, msgspec.Raw, _NULL) for name in sorted({_EVENT_TYPE} | deciding)
        ]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Peek", fields))

    def family_of(self, message: Message) -> str:
        """The family's name: by attribute, else by event_type, else by a field of one family only.

        Raises:
            ContractError: too_large, not_json or schema_violation.
        """
        named = message.attributes.get(FAMILY_ATTRIBUTE)
        if named in self._names:
            return named
        if message.size is not None:
            raise too_large()
        peeked, event_type = self._peek(message.payload)
        found = self._by_type.get(event_type, ())
        if len(found) == 1:
            return found[0].name
        if not found:
            types = ", ".join(sorted(self._by_type))
            raise ContractError(
                ErrorKind.SCHEMA_VIOLATION, f"{_EVENT_TYPE} must be one of {types}", _EVENT_TYPE
            )
        deciding = {family.route_by: family for family in found if family.route_by}
        present = [family for name, family in deciding.items() if getattr(peeked, name) != _NULL]
        if len(present) == 1:
            return present[0].name
        raise ContractError(
            ErrorKind.SCHEMA_VIOLATION,
            f"events of several families have this {_EVENT_TYPE}: send one of "
            f"{', '.join(deciding)}, or the attribute {FAMILY_ATTRIBUTE}",
            _EVENT_TYPE,
        )

    def _peek(self, payload: bytes) -> tuple[Any, str]:
        """The fields that decide, as bytes, and the event type; empty where it is no text."""
        try:
            peeked = self._decoder.decode(payload)
            value = getattr(peeked, _EVENT_TYPE)
            return peeked, _TEXT.decode(value) if bytes(value).startswith(b'"') else ""
        except msgspec.ValidationError:
            raise ContractError(
                ErrorKind.SCHEMA_VIOLATION, "the body must be a JSON object"
            ) from None
        except UNREADABLE as error:
            raise unreadable(payload, error) from None


def indistinct(families: Sequence[EventFamily]) -> tuple[str, str] | None:
    """The names of two families whose events are indistinguishable; None if there are none.

    Two families with an event type in common need a ``route_by`` each, a field that the other one's
    contract does not have.
    """
    for place, one in enumerate(families):
        for other in families[place + 1 :]:
            shared = set(one.event_types) & set(other.event_types)
            if shared and not (_decides(one, other) and _decides(other, one)):
                return one.name, other.name
    return None


def distinct(families: tuple[EventFamily, ...]) -> tuple[EventFamily, ...]:
    """The families themselves; raises ValueError, in one line, where two are indistinguishable."""
    if alike := indistinct(families):
        raise ValueError(
            f"events of {alike[0]} and of {alike[1]} are indistinguishable: run one of them"
        )
    return families


def _decides(family: EventFamily, other: EventFamily) -> bool:
    names = {field.name for field in other.contract.fields}
    return family.route_by is not None and family.route_by not in names


class RouteEvents(beam.PTransform):
    """Message -> (messages by family name, DeadLetter of messages that no family reads)."""

    def __init__(self, families: Sequence[EventFamily], pipeline_version: str) -> None:
        super().__init__()
        self._families = tuple(families)
        self._version = pipeline_version

    @no_annotations
    def expand(
        self, input_or_inputs: beam.PCollection[Message]
    ) -> tuple[Mapping[str, beam.PCollection[Message]], beam.PCollection[DeadLetter]]:
        """Returns one collection for each family, and the dead letters."""
        names = [family.name for family in self._families]
        route = _RouteFn(self._families, self.label, self._version)
        outputs = input_or_inputs | "Route" >> beam.ParDo(route).with_outputs(*names, DEAD_LETTERS)
        for name in names:
            outputs[name].element_type = Message
        outputs[DEAD_LETTERS].element_type = DeadLetter
        return {name: outputs[name] for name in names}, outputs[DEAD_LETTERS]


class _RouteFn(beam.DoFn):
    def __init__(self, families: Sequence[EventFamily], stage: str, pipeline_version: str) -> None:
        self._families = families
        self._stage = stage
        self._letters = DeadLetterFactory(None, pipeline_version)
        self._received = metrics.counter(metrics.RECEIVED)
        self._routed = {
            name: metrics.counter(metrics.family_counter(metrics.ROUTED, name))
            for name in (None, *(family.name for family in families))
        }

    def setup(self) -> None:
        self._router = Router(self._families)

    @no_annotations  # Beam wants literal tags, and these are names of families
    def process(self, element: Message) -> Iterator[TaggedOutput]:
        try:
            name = self._router.family_of(element)
        except ContractError as error:
            yield self._dead(element, Rejection.of(error))
        except Exception as error:
            yield self._dead(element, internal_error(error))
        else:
            self._routed[name].inc()
            yield TaggedOutput(name, element)

    def _dead(self, message: Message, rejection: Rejection) -> TaggedOutput:
        self._received.inc()  # of the others, by the first step of their family
        self._routed[None].inc()
        now = dt.datetime.now(dt.UTC)
        letter = self._letters.of_error(message, rejection, self._stage, now)
        return TaggedOutput(DEAD_LETTERS, letter)
