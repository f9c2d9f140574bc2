"""``fit_mastery_priors``: replaces mastery_settings by priors that fit the evidence."""

import dataclasses
import io
import json
from collections.abc import Sequence

from google.cloud import bigquery

from gcp import queries
from gcp.dataset import Dataset
from transforms.mastery import (
    Content,
    Evidence,
    Prior,
    Priors,
    fit,
    forecasts,
    log_loss,
)

_SETTINGS = "mastery_settings"
_DIGITS = 9  # of a NUMERIC


@dataclasses.dataclass(frozen=True)
class Fit:
    """What a fit found; the losses are those of the next score, on the evidence of the fit.

    Attributes:
        evidence: how many pieces there are.
        priors: fitted to them.
        loss: with the fitted priors.
        loss_before: with the priors that the table has.
    """

    evidence: int
    priors: Priors
    loss: float
    loss_before: float


def fit_priors(client: bigquery.Client, dataset: Dataset) -> Fit | None:
    """Fits priors to all of mastery_evidence; None if there is none.

    Raises:
        gcp.errors.SERVICE_ERRORS: BigQuery does not give the rows.
    """
    evidence = _evidence(client, dataset)
    if not evidence:
        return None
    priors = fit(evidence)
    before = _stored(client, dataset)
    losses = [log_loss(forecasts(evidence, each)) for each in (priors, before)]
    return Fit(len(evidence), priors, *losses)


def replace_settings(client: bigquery.Client, dataset: Dataset, priors: Priors) -> int:
    """Replaces all rows of mastery_settings in one job; returns how many there are now.

    Raises:
        gcp.errors.SERVICE_ERRORS: BigQuery did not take them; the table is as it was.
    """
    rows = [_row(None, priors.default)]
    rows += [_row(content, prior) for content, prior in sorted(priors.of_contents.items())]
    table = client.get_table(dataset.table(_SETTINGS), **queries.CALL)
    config = bigquery.LoadJobConfig(
        schema=table.schema,
        source_format="NEWLINE_DELIMITED_JSON",
        write_disposition="WRITE_TRUNCATE",
    )
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    job = client.load_table_from_file(io.BytesIO(lines), table.reference, job_config=config)
    job.result(**queries.CALL)
    return len(rows)


def _evidence(client: bigquery.Client, dataset: Dataset) -> Sequence[Evidence]:
    rows = queries.rows(
        client,
        "SELECT learner_id, content_type, content_id, score "
        f"FROM `{dataset.table('mastery_evidence')}` ORDER BY evidence_ts, event_id",
    )
    return [
        Evidence(row.learner_id, Content(row.content_type, row.content_id), float(row.score))
        for row in rows
    ]


def _stored(client: bigquery.Client, dataset: Dataset) -> Priors:
    sql = f"SELECT * FROM `{dataset.table(_SETTINGS)}`"
    rows = list(queries.rows(client, sql))
    default = Prior()
    for row in rows:
        if row.content_id is None:
            default = _prior(row, default)
    own = {
        Content(row.content_type, row.content_id): _prior(row, default)
        for row in rows
        if row.content_id is not None
    }
    return Priors(own, default)


def _prior(row: bigquery.Row, default: Prior) -> Prior:
    """As the view mastery_deltas takes a row: what is null falls back."""
    mean, weight = row.prior_mean, row.prior_weight
    return Prior(
        default.mean if mean is None else float(mean),
        default.weight if weight is None else float(weight),
    )


def _row(content: Content | None, prior: Prior) -> dict[str, str | None]:
    return {
        "content_type": content and content.content_type,
        "content_id": content and content.content_id,
        "prior_mean": f"{prior.mean:.{_DIGITS}f}",
        "prior_weight": f"{prior.weight:.{_DIGITS}f}",
    }
