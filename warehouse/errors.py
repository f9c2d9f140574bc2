"""Why a run fails, and what may be logged of it."""

from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError

from gcp.errors import explain
from gcp.retry import is_outage


class RunError(Exception):
    """A run cannot start; the message is one line that says what to do."""


class BusyError(RunError):
    """Something else is writing; a later run may find it done."""


def reason(error: Exception) -> str:
    """Why a run failed, without values of rows: BigQuery's own texts may quote some."""
    quotes_rows = isinstance(error, GoogleAPIError) and not (
        isinstance(error, NotFound | Forbidden) or is_outage(error)
    )
    if quotes_rows:
        return type(error).__name__
    return str(error) if isinstance(error, RunError) else explain(error)


def may_pass(error: Exception) -> bool:
    """Whether the next run may succeed without anybody's doing."""
    if isinstance(error, RunError):
        return isinstance(error, BusyError)
    return is_outage(error) and not isinstance(error, NotFound | Forbidden | GoogleAuthError)
