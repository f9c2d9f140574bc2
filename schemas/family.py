"""What the generic transforms need to know of one kind of event."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from schemas.errors import ErrorKind
from schemas.message import ValidEvent


@dataclasses.dataclass(frozen=True)
class EventFamily:
    """What the generic transforms need to know of one kind of event.

    Attributes:
        name: as in the column ``event_family`` and the option ``--event_family``.
        event: the struct; it has at least event_id, event_type and client_ts (event time), forbids
            unknown fields, and takes its fields by position, as the decoder makes it.
        valid_event: ValidEvent with ``event`` narrowed to the struct, for its coder.
        table: the fact table.
        rules: rules beyond types; each raises ContractError.
        dead_letter_types: event types that are valid but no facts, and their error kind.
        judged_types: event types whose lateness is judged; empty switches lateness off.
        renamed: contract fields whose column has another name.
    """

    name: str
    event: type[msgspec.Struct]
    valid_event: type[ValidEvent]
    table: str
    rules: tuple[Callable[[Any], None], ...] = ()
    dead_letter_types: Mapping[str, ErrorKind] = dataclasses.field(default_factory=dict)
    judged_types: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)
