"""Forecasts of mastery and the fit of its priors."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rivals import bkt
from transforms.mastery import Content, Evidence, Prior, Priors, fit, forecasts, log_loss

EASY, HARD = Content("skill", "easy"), Content("skill", "hard")


def pieces(
    seed: int, learners: int = 200, attempts: int = 6, spread: float = 4.0
) -> list[Evidence]:
    """Attempts whose chance is drawn from a Beta of mean 0.8 or 0.3 and this weight."""
    chance = random.Random(seed)
    found = []
    for learner in range(learners):
        for content, mean in ((EASY, 0.8), (HARD, 0.3)):
            mastery = chance.betavariate(mean * spread, (1 - mean) * spread)
            found += [
                Evidence(f"l{learner}", content, float(chance.random() < mastery))
                for _ in range(attempts)
            ]
    return found


def test_a_forecast_is_mastery_before_the_evidence() -> None:
    evidence = [Evidence("l", EASY, 1.0), Evidence("l", EASY, 0.5), Evidence("m", EASY, 0.0)]
    evidence.insert(1, Evidence("l", HARD, 0.0))
    priors = Priors({HARD: Prior(0.2, 8.0)})
    assert list(forecasts(evidence, priors)) == [
        (0.5, 1.0),
        (0.2, 0.0),
        (pytest.approx(2 / 3), 0.5),
        (0.5, 0.0),
    ]


def test_the_fit_finds_the_priors_that_made_the_evidence() -> None:
    priors = fit(pieces(seed=1))
    assert priors[EASY].mean == pytest.approx(0.8, abs=0.05)
    assert priors[HARD].mean == pytest.approx(0.3, abs=0.05)
    assert priors.default.mean == pytest.approx(0.55, abs=0.05)
    assert 2 < priors[EASY].weight < 8
    assert priors[Content("lesson", "new")] == priors.default


def test_fitted_priors_forecast_other_learners_better_than_a_flat_one() -> None:
    fitted = fit(pieces(seed=1))
    other = pieces(seed=2)
    losses = [log_loss(forecasts(other, priors)) for priors in (fitted, Priors({}))]
    assert losses[0] < losses[1] < math.log(2)


def test_a_content_with_little_evidence_stays_near_all_others() -> None:
    rare = Content("skill", "rare")
    priors = fit([*pieces(seed=1, learners=20), Evidence("l0", rare, 1.0)])
    assert priors[rare].mean < 0.7


def test_without_evidence_there_is_the_default() -> None:
    assert fit([]) == Priors({})
    assert fit([])[EASY] == Prior(0.5, 2.0)
    with pytest.raises(ValueError, match="there are no forecasts"):
        log_loss([])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), min_size=1, max_size=30))
def test_forecasts_are_chances_for_any_scores(scores: list[tuple[str, float]]) -> None:
    evidence = [Evidence(learner, EASY, score) for learner, score in scores]
    priors = fit(evidence)
    for forecast, _ in [*forecasts(evidence, priors), *bkt.forecasts(evidence, {})]:
        assert 0 <= forecast <= 1
    assert 0 <= log_loss(forecasts(evidence, priors)) < 7


def test_fitted_knowledge_tracing_forecasts_better_than_the_textbook_s() -> None:
    evidence = pieces(seed=1, learners=30)
    losses = [log_loss(bkt.forecasts(evidence, skills)) for skills in (bkt.fit(evidence), {})]
    assert losses[0] < losses[1]
