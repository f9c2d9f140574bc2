"""Settings for tests that read no table."""

import dataclasses

from schemas.lateness import LatenessSettings
from transforms.lateness.rule import NO_SETTINGS
from transforms.lateness.steps import LatenessConfig

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


def lateness_config(settings: LatenessSettings = NO_SETTINGS) -> LatenessConfig:
    return LatenessConfig(FixedSettings(settings), WAIT_SECONDS, TTL_SECONDS)
