"""Alerts about runs that fail: by a webhook (Slack takes its form) and by e-mail.

An incident begins when a run fails for a reason that stays (a table is missing, the SQL is wrong),
or when two runs in a row fail for one that may pass (an outage, another run under way). It is over
when a run succeeds. Each is reported once at its begin and once at its end; what could not be sent
is sent by the next run. The state is in the log of runs.
"""

import dataclasses
import logging
import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import requests
from google.cloud import bigquery

from gcp.dataset import Dataset
from gcp.environments import EnvironmentSettings
from gcp.errors import SERVICE_ERRORS, explain
from gcp.runs import Outcome, Run, RunLog, Status

WEBHOOK_URL, SMTP_URL, EMAIL = "ALERT_WEBHOOK_URL", "ALERT_SMTP_URL", "ALERT_EMAIL"
_FAILURES_IN_A_ROW = 2
_TIMEOUT_SECONDS = 10.0
_PORTS = {"smtp": 25, "smtps": 465}
_LOG = logging.getLogger(__name__)

Channel = Callable[[str, str], None]
"""Sends a subject and a text; raises OSError, SMTPException or RequestException."""


@dataclasses.dataclass(frozen=True)
class Incident:
    """What the log knows of the last runs.

    Attributes:
        failures: runs that failed since the last success.
        is_reported: whether an alert was sent that has not been taken back.
    """

    failures: int = 0
    is_reported: bool = False


class Alerts:
    """The alerts of one kind of run over a dataset."""

    def __init__(
        self,
        client: bigquery.Client,
        dataset: Dataset,
        env: str | None,
        pipeline: str,
        channels: Sequence[Channel],
    ) -> None:
        """Takes where the log of runs is, the run's name there, and where alerts go."""
        self._log = RunLog(client, dataset)
        self._name, self._env = f"alerts: {pipeline}", env
        self._channels = channels
        self._about = f"{pipeline} of {dataset}" + (f" ({env})" if env else "")

    def failed(self, reason: str, *, may_pass: bool) -> None:
        """A run has failed, after its last retry; ``reason`` holds no values of rows."""
        before = self._incident()
        if before is None:
            return
        failures = before.failures + 1
        due = not before.is_reported and (not may_pass or failures >= _FAILURES_IN_A_ROW)
        sent = due and self._send(f"Failed: {self._about}", f"{reason} (failed runs: {failures})")
        self._note(Incident(failures, before.is_reported or sent))

    def succeeded(self) -> None:
        """A run has succeeded."""
        before = self._incident()
        if before is None or before == Incident():
            return
        text = f"A run has succeeded again, after {before.failures} that failed"
        is_over = not before.is_reported or self._send(f"Works again: {self._about}", text)
        self._note(Incident() if is_over else before)

    def _incident(self) -> Incident | None:
        """The state as of the last run; None without channels, or where it cannot be read."""
        if not self._channels:
            return None
        try:
            details = self._log.last_details(self._name, self._env)
        except SERVICE_ERRORS as error:
            _LOG.warning("no alert: the log of runs cannot be read: %s", explain(error))
            return None
        return Incident(**details) if details else Incident()

    def _note(self, incident: Incident) -> None:
        run = Run(pipeline_name=self._name, env=self._env)
        try:
            self._log.ended(run, Status.SUCCEEDED, Outcome(details=dataclasses.asdict(incident)))
        except SERVICE_ERRORS as error:
            _LOG.warning("the log of runs does not have this alert: %s", explain(error))

    def _send(self, subject: str, text: str) -> bool:
        """Returns whether any channel took it."""
        taken = [_took(channel, subject, text) for channel in self._channels]
        return any(taken)


def _took(channel: Channel, subject: str, text: str) -> bool:
    try:
        channel(subject, text)
    except (OSError, smtplib.SMTPException) as error:  # requests' errors are OSErrors
        # Its text may hold the URL, which is a secret.
        _LOG.warning("an alert could not be sent: %s", type(error).__name__)
        return False
    return True


def channels(settings: EnvironmentSettings) -> list[Channel]:
    """Where alerts go, by the environment's settings; none where they name nothing.

    A setting that makes no sense is reported, without its value, and left out: it fails no run.
    """
    found: list[Channel] = []
    if url := settings.get(WEBHOOK_URL):
        if _scheme(url) in ("http", "https"):
            found.append(_webhook(url))
        else:
            _LOG.warning("no alerts by webhook: %s must be an http or https URL", WEBHOOK_URL)
    server, recipients = settings.get(SMTP_URL), settings.get(EMAIL)
    if server and recipients:
        if _scheme(server) in _PORTS:
            found.append(_email(server, recipients))
        else:
            form = "smtp://USER:PASSWORD@HOST:PORT or smtps://..."
            _LOG.warning("no alerts by e-mail: %s must be %s", SMTP_URL, form)
    elif server or recipients:
        missing = EMAIL if server else SMTP_URL
        _LOG.warning("no alerts by e-mail: %s", settings.how_to_set(missing))
    return found


def _scheme(url: str) -> str | None:
    """The scheme of a URL with a host and, if any, a port that is one; None for any other."""
    try:
        parts = urlsplit(url)
        return parts.scheme if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _webhook(url: str) -> Channel:
    def send(subject: str, text: str) -> None:
        body = {"text": f"{subject}\n{text}"}
        requests.post(url, json=body, timeout=_TIMEOUT_SECONDS).raise_for_status()

    return send


def _email(url: str, recipients: str) -> Channel:
    """``smtps`` is encrypted from the start, ``smtp`` as soon as the server offers it."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]

    def send(subject: str, text: str) -> None:
        message = EmailMessage()
        message["Subject"], message["To"] = subject, recipients
        message["From"] = recipients.partition(",")[0]
        message.set_content(text)
        with _connection(parts.scheme, host, port) as server:
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)

    return send


def _connection(scheme: str, host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=context)
    return server
