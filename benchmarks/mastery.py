"""How well mastery forecasts the next score, beside other estimates: log loss, less is better.

Ours is Beta-Bernoulli with the fitted priors; the others are the same with a flat prior, and
Bayesian knowledge tracing, with the textbook's parameters and with fitted ones. All are fitted on
one half of the learners and forecast the scores of the other half, each before it is known. The
learners are simulated ones, whose true mastery is known, and those of the real exam log where it
lies beside the project: there every first answer of a student is evidence of mastery of the test.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness.measure import Figure
from benchmarks.rivals import bkt
from local_runner.traffic.exam_log import read_log
from local_runner.traffic.families.learner_event import LEARNERS, SKILLS, true_mastery
from transforms import mastery
from transforms.mastery import Content, Evidence, Priors

_SEED = 17
_FLAT = Priors({})
_TEST = Content("assessment", "test")
_LOG = next(
    (
        path
        for folder in Path(__file__).parents
        if (path := folder / "shared/data/midterm-time.tsv").exists()
    ),
    None,
)


def run(quick: bool) -> list[Figure]:
    """Log losses, and ratios of ours to the others."""
    figures = _compared("simulated", simulated(4 if quick else 12))
    figures.append(_error_of_estimates(4 if quick else 12))
    if _LOG is not None:
        pieces = real_log(_LOG)
        figures += _compared("exam_log", pieces[:1_000] if quick else pieces)
    return figures


def simulated(attempts: int) -> list[Evidence]:
    """So many attempts of each learner at each skill, right or wrong by the true mastery."""
    chance = random.Random(_SEED)  # noqa: S311 - no secrets
    return [
        Evidence(
            learner,
            Content("skill", skill),
            float(chance.random() < true_mastery(_SEED, learner, skill)),
        )
        for learner in LEARNERS
        for skill in SKILLS
        for _ in range(attempts)
    ]


def real_log(path: Path) -> list[Evidence]:
    """Each student's first answer to each question, in the order of the clock."""
    lines = read_log(path, dt.datetime(2026, 3, 2, tzinfo=dt.UTC)).lines
    lines.sort(key=lambda line: (line.student, line.elapsed, line.number))
    first = {(line.student, line.question): line for line in reversed(lines)}
    return [
        Evidence(line.student, _TEST, float(line.score == 1))
        for line in lines
        if first[line.student, line.question] is line
    ]


def _compared(name: str, pieces: Sequence[Evidence]) -> list[Figure]:
    seen, unseen = _halves(pieces)
    priors = mastery.fit(seen)
    losses = {
        "skill_means": mastery.log_loss(mastery.forecasts(unseen, priors)),
        "flat_prior": mastery.log_loss(mastery.forecasts(unseen, _FLAT)),
        "fitted_bkt": mastery.log_loss(bkt.forecasts(unseen, bkt.fit(seen))),
        "textbook_bkt": mastery.log_loss(bkt.forecasts(unseen, {})),
    }
    where = f"{len(unseen):,} attempts, {name.replace('_', ' ')}"
    ours = losses["skill_means"]
    return [
        Figure(
            f"mastery_{name}_vs_flat_prior",
            ours / losses["flat_prior"],
            f"log loss with fitted priors over that with a flat one, {name.replace('_', ' ')}",
            at_most=1,
        ),
        Figure(
            f"mastery_{name}_vs_fitted_bkt",
            ours / losses["fitted_bkt"],
            f"log loss over that of fitted knowledge tracing, {name.replace('_', ' ')}",
            at_most=1.05,
        ),
        *(
            Figure(f"mastery_{name}_{other}", loss, f"log loss, {other}: {where}", "nats")
            for other, loss in losses.items()
        ),
    ]


def _error_of_estimates(attempts: int) -> Figure:
    """How far the estimate lies from the truth after the last attempt."""
    pieces = simulated(attempts)
    priors = mastery.fit(pieces)
    errors = list(_errors(pieces, priors, attempts))
    mean = sum(errors) / len(errors)
    return Figure(
        "mastery_simulated_error", mean, f"mean distance to the truth, {attempts} attempts", "1"
    )


def _errors(pieces: Sequence[Evidence], priors: Priors, attempts: int) -> Iterator[float]:
    totals: dict[tuple[str, Content], float] = {}
    for learner, content, score in pieces:
        totals[learner, content] = totals.get((learner, content), 0) + score
    for (learner, content), total in totals.items():
        prior = priors[content]
        estimate = (prior.mean * prior.weight + total) / (prior.weight + attempts)
        yield abs(estimate - true_mastery(_SEED, learner, content.content_id))


def _halves(pieces: Sequence[Evidence]) -> tuple[list[Evidence], list[Evidence]]:
    """Those of one half of the learners, drawn at random, and of the other."""
    learners = sorted({piece.learner_id for piece in pieces})
    rng = random.Random(_SEED)  # noqa: S311 - no secrets
    chosen = set(rng.sample(learners, len(learners) // 2))
    return (
        [piece for piece in pieces if piece.learner_id in chosen],
        [piece for piece in pieces if piece.learner_id not in chosen],
    )
