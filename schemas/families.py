"""The event families that the pipeline can run. A new one needs two folders and an entry here."""

from collections.abc import Mapping

from schemas.exam_event.family import EXAM_EVENT
from schemas.family import EventFamily

FAMILIES: Mapping[str, EventFamily] = {family.name: family for family in (EXAM_EVENT,)}
DEFAULT_FAMILY = EXAM_EVENT
