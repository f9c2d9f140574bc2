"""One kind of event: what the pipeline, the DDL tool and the commands need to know of it."""

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from schemas import contract, structs
from schemas.contract import Contract, FieldKind
from schemas.errors import ErrorKind
from schemas.event_time import EventTimeBounds
from schemas.message import ValidEvent

_FACT = "_fact"


@dataclasses.dataclass(frozen=True)
class KeptKeys:
    """The keys of a JSON field that are stored; the others are dropped, and counted by name.

    A value that stays is null, a number, a boolean, a string or an array of these; a string loses
    the e-mail addresses, IP addresses and telephone numbers in it.

    Attributes:
        by_type: the keys by event type; a type that is not here keeps none.
        names: keys whose strings are ids, versions or codes: in these, digits are a telephone
            number only behind a plus sign.
    """

    by_type: Mapping[str, frozenset[str]]
    names: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class EventFamily:
    """The registration of one kind of event; ``schemas/<name>/`` holds it and its contract.

    Families travel to workers by their name, so that what is derived from the contract need not be
    pickled.

    Attributes:
        name: as in the column ``event_family`` and the option ``--event_family``, and the name of
            its folders.
        table: the fact table, named ``<x>_fact``.
        event_time: the contract field that holds event time; its date is the partition. None where
            the publish date is the partition, and events may be of any age.
        clustering: columns by which the fact table is clustered.
        version: of the contract; its file is ``v<major>.avsc``.
        rules: rules beyond types; each raises ContractError.
        person: the contract field that names a person, by which ``erase`` finds what is theirs.
        person_where: values of other contract fields, without which ``person`` names no person.
        person_through: a contract field by which events belong to a person who has an event of
            another family with the same value, where they name none themselves.
        needs_pseudonyms: whether a run of its events refuses to start without a pseudonym key.
        unknown: what becomes of fields that the contract does not know: ``keep`` them in ``extra``,
            ``refuse`` the message, or ``drop`` and count them.
        kept_keys: JSON fields of which only some keys are stored, and those keys.
        route_by: a field that distinguishes this family from others with the same event types.
        max_ahead_days: how far event time may lie after the publish time, where that is further
            than the run's own bound.
        not_in_views: contract fields that no view shows.
        needs: families whose tables this family's views read; they are created with it.
        retention_days: age at which partitions are deleted; None for never.
        dead_letter_types: event types that are valid but no facts, and their error kind.
        judged_types: event types whose lateness is judged; empty switches lateness off.
        renamed: columns that have another name than usual: of contract fields, or of the envelope.
        conflicts_view: see ``conflicts``; None where it has its usual name, ``<x>_conflicts``.
        written: ValidEvent narrowed to a struct that is written by hand; None where the struct is
            derived from the contract.
    """

    name: str
    table: str
    event_time: str | None
    clustering: tuple[str, ...] = ()
    version: str = "1"
    rules: tuple[Callable[[Any], None], ...] = ()
    person: str | None = None
    person_where: Mapping[str, str] = dataclasses.field(default_factory=dict)
    person_through: str | None = None
    needs_pseudonyms: bool = False
    unknown: Literal["keep", "refuse", "drop"] = "keep"
    kept_keys: Mapping[str, KeptKeys] = dataclasses.field(default_factory=dict)
    route_by: str | None = None
    max_ahead_days: int | None = None
    not_in_views: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    retention_days: int | None = None
    dead_letter_types: Mapping[str, ErrorKind] = dataclasses.field(default_factory=dict)
    judged_types: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    conflicts_view: str | None = None
    written: type[ValidEvent] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z0-9_]{2,}", self.name):
            raise ValueError(f"{self.name}: a family's name is lower_case letters and digits")
        if not self.table.endswith(_FACT):
            raise ValueError(f"{self.name}: the fact table must be named <x>{_FACT}")

    def __reduce__(self) -> tuple[Callable[[str], "EventFamily"], tuple[str]]:
        return _by_name, (self.name,)

    @property
    def view(self) -> str:
        """The view with one row per event."""
        return self.table.removesuffix(_FACT)

    @property
    def conflicts(self) -> str:
        """The view of the events whose copies differ; its function is ``<conflicts>_between``."""
        return self.conflicts_view or f"{self.view}_conflicts"

    @property
    def contract_file(self) -> str:
        """The name of the contract's file in the family's folder."""
        return f"v{self.version.partition('.')[0]}.avsc"

    @functools.cached_property
    def contract(self) -> Contract:
        """What the family's ``.avsc`` declares.

        Raises:
            ValueError: it lacks event_id, event_type or the event time, or cannot be used.
        """
        loaded = contract.load(f"schemas.{self.name}", self.contract_file)
        needed = {
            "event_id": FieldKind.STRING,
            "event_type": FieldKind.STRING,
        }
        if self.event_time is not None:
            needed[self.event_time] = FieldKind.TIMESTAMP
        kinds = {field.name: field.kind for field in loaded.fields if not field.repeated}
        for name, kind in needed.items():
            if kinds.get(name) is not kind:
                raise ValueError(f"schemas/{self.name}: the contract needs {name}, a {kind}")
        return loaded

    @functools.cached_property
    def event(self) -> type[msgspec.Struct]:
        """The struct of one event: fields in the order of the contract, no unknown ones."""
        if self.written is None:
            return structs.event_struct(self.contract, self.name)
        event: type[msgspec.Struct] = self.written.__annotations__["event"]
        return event

    @functools.cached_property
    def valid_event(self) -> type[ValidEvent]:
        """ValidEvent with ``event`` narrowed to the struct, for its coder."""
        return self.written or structs.valid_event(self.event, self.name)

    @functools.cached_property
    def event_types(self) -> tuple[str, ...]:
        """The values of event_type."""
        return self.contract["event_type"].symbols

    def bounded(self, bounds: EventTimeBounds) -> EventTimeBounds:
        """The bounds of event time that apply to the family, given those of the run."""
        ahead = dt.timedelta(days=self.max_ahead_days or 0)
        return dataclasses.replace(bounds, max_ahead=max(bounds.max_ahead, ahead))

    def column(self, name: str) -> str:
        """The column of a contract field or of a field of the envelope."""
        return self.renamed.get(name, name)


def _by_name(name: str) -> EventFamily:
    from schemas.families import FAMILIES  # which imports the families, and they this module

    return FAMILIES[name]
