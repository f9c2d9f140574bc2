"""The configuration of a run: parsed once, frozen, picklable, without open resources."""

import dataclasses
import enum
from typing import TypeAlias

from gcp.dataset import Dataset
from pipeline.pseudonym.keys import PseudonymKeys
from pipeline.sources.files import FileInput
from pipeline.sources.postgres.input import PostgresInput
from pipeline.sources.subscription import SubscriptionInput
from schemas.event_time import Bounds, EventTimeBounds
from schemas.family import EventFamily
from transforms.lateness.steps import LatenessConfig

Input: TypeAlias = SubscriptionInput | FileInput | PostgresInput


class WriteMethod(enum.StrEnum):
    """How rows reach BigQuery."""

    STORAGE_WRITE_API = "STORAGE_WRITE_API"
    STREAMING_INSERTS = "STREAMING_INSERTS"


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """The micro-batch mode; see the options of the same names."""

    max_messages: int
    max_seconds: float
    metrics_port: int | None


@dataclasses.dataclass(frozen=True)
class Config:
    """The configuration of one run; ExamEventsOptions documents the fields."""

    families: tuple[EventFamily, ...]
    dataset: Dataset
    input: Input
    bounds: EventTimeBounds
    lateness: LatenessConfig
    settings_refresh_seconds: int
    dead_letter_topic: str | None
    write_method: WriteMethod
    micro_batch: MicroBatch | None
    pseudonyms: PseudonymKeys | None = None

    @property
    def asked_bounds(self) -> Bounds:
        """The bounds of event time by family, before any table is looked at."""
        return {family.name: family.bounded(self.bounds) for family in self.families}
