"""How each event family is simulated: by the module of its name here, else by its contract."""

import importlib
import importlib.util

from local_runner.traffic.broken import breakages
from local_runner.traffic.events import Event, FamilyTraffic
from local_runner.traffic.from_contract import ContractEvents
from schemas.family import EventFamily

_MALFORMED_SHARE = 0.1


def traffic_of(family: EventFamily) -> FamilyTraffic:
    """How a family is simulated.

    A module ``<family>.py`` in this folder may define ``TRAFFIC``, all of it, or any of ``events``
    (what realistically happens, as in FamilyTraffic) and ``RULE_BREAKAGES`` (messages that break
    the family's rules beyond types). The rest comes from the contract.
    """
    name = f"{__name__}.{family.name}"
    module = importlib.import_module(name) if importlib.util.find_spec(name) else None
    whole: FamilyTraffic | None = getattr(module, "TRAFFIC", None)
    if whole is not None:
        return whole
    ways = breakages(family)
    return FamilyTraffic(
        events=getattr(module, "events", ContractEvents(family).day),
        breakages=[*ways[:1], *getattr(module, "RULE_BREAKAGES", ()), *ways[1:]],
        conflicting=_resent,
        malformed_share=_MALFORMED_SHARE,
        attributes={"origin": "simulator"},
    )


def _resent(event: Event) -> Event:
    """A copy that differs in a field that no contract knows."""
    return event | {"resent": True}
