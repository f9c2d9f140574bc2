"""Mastery as the view mastery_deltas estimates it, and priors that fit the evidence there is.

Beta-Bernoulli: a prior of mean m and weight w, and n pieces of evidence of the scores s, give a
mastery of (m * w + sum of s) / (w + n). That is also the forecast of the next score.
"""

import collections
import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

DEFAULT_MEAN, DEFAULT_WEIGHT = 0.5, 2.0
"""Of a content without settings."""

# A forecast is never certain, so that one surprise does not cost infinitely much.
_LEAST, _MOST = 0.001, 0.999
_WEIGHTS = tuple(0.25 * 2 ** (step / 4) for step in range(37))  # 0.25 to 128
# As pieces of evidence; the mean of a content with few of them stays near that of all.
_POOLED = 5.0


class Content(NamedTuple):
    """What mastery is of."""

    content_type: str
    content_id: str


class Evidence(NamedTuple):
    """One row of mastery_evidence."""

    learner_id: str
    content: Content
    score: float


@dataclasses.dataclass(frozen=True)
class Prior:
    """Mastery before any evidence: its mean, 0 to 1, and its weight in pieces of evidence."""

    mean: float = DEFAULT_MEAN
    weight: float = DEFAULT_WEIGHT


@dataclasses.dataclass(frozen=True)
class Priors:
    """Rows of mastery_settings: of contents, and for all others."""

    of_contents: Mapping[Content, Prior]
    default: Prior = Prior()

    def __getitem__(self, content: Content) -> Prior:
        return self.of_contents.get(content, self.default)


def fit(evidence: Sequence[Evidence]) -> Priors:
    """Priors under which the evidence is most likely.

    The mean of each content is that of its scores; all share the weight with the least log loss
    of the forecasts.

    Args:
        evidence: rows of mastery_evidence, those of each learner in the order of evidence_ts.

    Returns:
        The priors; without evidence, the default alone.
    """
    if not evidence:
        return Priors({})
    scores: dict[Content, list[float]] = collections.defaultdict(list)
    for piece in evidence:
        scores[piece.content].append(piece.score)
    pooled = math.fsum(piece.score for piece in evidence) / len(evidence)
    means = {
        content: (math.fsum(own) + _POOLED * pooled) / (len(own) + _POOLED)
        for content, own in scores.items()
    }

    def with_weight(weight: float) -> Priors:
        own = {content: Prior(mean, weight) for content, mean in means.items()}
        return Priors(own, Prior(pooled, weight))

    candidates = [with_weight(weight) for weight in _WEIGHTS]
    return min(candidates, key=lambda priors: log_loss(forecasts(evidence, priors)))


def forecasts(evidence: Iterable[Evidence], priors: Priors) -> Iterator[tuple[float, float]]:
    """For each piece of evidence mastery before it, and its score."""
    known: dict[tuple[str, Content], tuple[float, int]] = {}
    for learner, content, score in evidence:
        prior = priors[content]
        total, count = known.get((learner, content), (0.0, 0))
        yield (prior.mean * prior.weight + total) / (prior.weight + count), score
        known[learner, content] = total + score, count + 1


def log_loss(forecast_scores: Iterable[tuple[float, float]]) -> float:
    """Mean of -ln of what was forecast for the scores, in nats; raises ValueError for none."""
    losses = [
        -(score * math.log(certain) + (1 - score) * math.log(1 - certain))
        for forecast, score in forecast_scores
        for certain in (min(max(forecast, _LEAST), _MOST),)
    ]
    if not losses:
        raise ValueError("there are no forecasts")
    return math.fsum(losses) / len(losses)
