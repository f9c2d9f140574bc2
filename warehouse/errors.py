"""Why a run fails, and what may be logged of it."""

from google.api_core.exceptions import Forbidden, NotFound
from google.auth.exceptions import GoogleAuthError

from gcp.errors import explain
from gcp.retry import is_outage


class RunError(Exception):
    """A run cannot start; the message is one line that says what to do."""


class BusyError(RunError):
    """Something else is writing; a later run may find it done."""


def reason(error: Exception) -> str:
    """Why a run failed, without values of rows: BigQuery's own texts may quote some."""
    if isinstance(error, RunError):
        return str(error)
    return (
        explain(error)
        if isinstance(error, NotFound | Forbidden) or is_outage(error)
        else type(error).__name__
    )


def may_pass(error: Exception) -> bool:
    """Whether the next run may succeed without anybody's doing."""
    if isinstance(error, RunError):
        return isinstance(error, BusyError)
    return is_outage(error) and not isinstance(error, NotFound | Forbidden | GoogleAuthError)
