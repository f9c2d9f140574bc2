"""The columns that every fact table has beside its contract's fields."""

import dataclasses
from collections.abc import Mapping

from schemas.contract import FieldKind


@dataclasses.dataclass(frozen=True)
class EnvelopeColumn:
    """A column that the pipeline fills, not the sender."""

    kind: FieldKind
    required: bool
    description: str


# In the order in which rows fill them.
ENVELOPE: Mapping[str, EnvelopeColumn] = {
    "extra": EnvelopeColumn(
        FieldKind.JSON,
        False,
        "Fields of the event that the contract does not know by their path, keys sorted; null "
        "where there are none.",
    ),
    "event_date": EnvelopeColumn(
        FieldKind.DATE, True, "UTC date of {partition_time}; the partition."
    ),
    "publish_ts": EnvelopeColumn(
        FieldKind.TIMESTAMP,
        True,
        "When Pub/Sub took the message; for a file, the start of the run.",
    ),
    "ingest_ts": EnvelopeColumn(
        FieldKind.TIMESTAMP, True, "When the append that BigQuery took was sent."
    ),
    "message_id": EnvelopeColumn(
        FieldKind.STRING,
        True,
        "Pub/Sub's id of the message; for a line of a file, its URI or absolute path and the line "
        "number.",
    ),
    "pipeline_version": EnvelopeColumn(
        FieldKind.STRING, True, "Version of the pipeline that made this row."
    ),
    "contract_version": EnvelopeColumn(
        FieldKind.STRING, False, "Version of the contract that the event was read by."
    ),
}
