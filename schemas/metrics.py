"""The names under which outcomes are counted. Dashboards and alerts use them: keep them stable."""

from apache_beam.metrics import Metrics
from apache_beam.metrics.metric import MetricResults
from apache_beam.metrics.metricbase import Counter, Distribution, Gauge

NAMESPACE = "exam_events"

NO_FAMILY = "no_family"

RECEIVED = "received"
ROUTED = "routed"
WRITTEN = "written"
DEAD_LETTERS = "dead_letters"
DEAD_LETTERS_PUBLISHED = "dead_letters_published"
DEAD_LETTERS_WRITTEN = "dead_letters_written"
DEAD_LETTER_ROWS_REFUSED = "dead_letter_rows_refused"
DEAD_LETTER_MESSAGES_REFUSED = "dead_letter_messages_refused"
PAYLOAD_BYTES = "payload_bytes"
EVENT_LAG_SECONDS = "event_lag_seconds"
UNKNOWN_FIELDS = "unknown_fields"
UNKNOWN_FIELDS_LIKE_KNOWN = "unknown_fields_like_known"
LATENESS_SETTLED = "lateness_settled_by_payload"
LATENESS_BY_SESSION = "lateness_sent_to_session"
HELD = "held"
RELEASED_BY_START = "held_released_by_start"
RELEASED_UNKNOWN = "held_released_unknown"
HOLD_OVERFLOWED = "hold_overflowed"
STATE_CLEARED = "session_state_cleared"
SETTINGS_AGE_SECONDS = "lateness_settings_age_seconds"
OUTAGE_RETRIES = "outage_retries"


def counter(name: str) -> Counter:
    """A counter of ours."""
    return Metrics.counter(NAMESPACE, name)


def distribution(name: str) -> Distribution:
    """A distribution of ours, of integers."""
    return Metrics.distribution(NAMESPACE, name)


def gauge(name: str) -> Gauge:
    """A gauge of ours, of integers."""
    return Metrics.gauge(NAMESPACE, name)


def late_status_counter(status: str) -> str:
    """The counter's name for a late_status."""
    return f"late_status_{status.lower()}"


def error_kind_counter(kind: str) -> str:
    """The counter's name for an error kind."""
    return f"dead_letter_{kind}"


def family_counter(name: str, family: str | None) -> str:
    """The counter's name for one family, in a run of several; None stands for no family."""
    return f"{name}_{family or NO_FAMILY}"


def dropped_field_counter(name: str) -> str:
    """The counter's name for an unknown field that a family drops."""
    return f"dropped_field_{name}"


def counters(results: MetricResults) -> dict[str, int]:
    """Our counters as they stand, summed over steps."""
    totals: dict[str, int] = {}
    for result in results.query()["counters"]:
        if result.key.metric.namespace == NAMESPACE:
            name = result.key.metric.name
            totals[name] = totals.get(name, 0) + (result.committed or result.attempted)
    return dict(sorted(totals.items()))
