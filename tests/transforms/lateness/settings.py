"""Settings for tests that read no table."""

import dataclasses

from schemas.lateness import LatenessSettings
from transforms.lateness.rule import NO_SETTINGS
from transforms.lateness.steps import LatenessConfig, Lookups

WAIT_SECONDS = 60
TTL_SECONDS = 8 * 24 * 3600


@dataclasses.dataclass(frozen=True)
class FixedSettings:
    """A SettingsSource that never changes."""

    settings: LatenessSettings

    def open(self) -> None:
        pass

    def current(self) -> LatenessSettings:
        return self.settings


LATENESS = LatenessConfig(WAIT_SECONDS, TTL_SECONDS)


def lookups(settings: LatenessSettings = NO_SETTINGS) -> Lookups:
    return Lookups(FixedSettings(settings))
