"""What one run does, as data: parsed once, frozen, picklable, holding nothing open."""

import dataclasses
import enum

from gcp.dataset import Dataset
from pipeline.sources.files import FileInput
from pipeline.sources.subscription import SubscriptionInput
from schemas.event_time import EventTimeBounds
from schemas.family import EventFamily
from transforms.lateness.steps import LatenessConfig


class WriteMethod(enum.StrEnum):
    """How rows reach BigQuery."""

    STORAGE_WRITE_API = "STORAGE_WRITE_API"
    STREAMING_INSERTS = "STREAMING_INSERTS"


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """How a subscription is run batch by batch; see the options of the same names."""

    max_messages: int
    max_seconds: float
    metrics_port: int | None


@dataclasses.dataclass(frozen=True)
class Config:
    """What one run does; see ExamEventsOptions for the meanings."""

    family: EventFamily
    dataset: Dataset
    input: SubscriptionInput | FileInput
    bounds: EventTimeBounds
    lateness: LatenessConfig
    settings_refresh_seconds: int
    dead_letter_topic: str | None
    write_method: WriteMethod
    micro_batch: MicroBatch | None
