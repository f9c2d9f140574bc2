"""Bayesian knowledge tracing (Corbett and Anderson, 1995): a hidden skill, known or not.

A learner knows a skill at first with ``known``, learns it after an attempt with ``learns``, slips
with ``slips`` where it is known and guesses with ``guesses`` where it is not.
"""

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from transforms.mastery import Content, Evidence, log_loss

_STEPS = (0.2, 0.1, 0.05, 0.02)
_LEAST, _MOST = 0.01, 0.99


@dataclasses.dataclass(frozen=True)
class Skill:
    """The parameters of one skill; those here are the textbook's."""

    known: float = 0.5
    learns: float = 0.1
    slips: float = 0.1
    guesses: float = 0.2

    def forecast(self, known: float) -> float:
        """The chance of a right answer."""
        return known * (1 - self.slips) + (1 - known) * self.guesses

    def after(self, known: float, score: float) -> float:
        """The chance that the skill is known after an answer; a part of a point counts partly."""
        right = known * (1 - self.slips) / self.forecast(known)
        wrong = known * self.slips / (1 - self.forecast(known))
        updated = score * right + (1 - score) * wrong
        return updated + (1 - updated) * self.learns


def fit(evidence: Sequence[Evidence]) -> Mapping[Content, Skill]:
    """For each content the parameters with the least log loss, by a search along each in turn."""
    own: dict[Content, list[Evidence]] = collections.defaultdict(list)
    for piece in evidence:
        own[piece.content].append(piece)
    return {content: _fitted(content, pieces) for content, pieces in own.items()}


def _fitted(content: Content, pieces: Sequence[Evidence]) -> Skill:
    def loss(skill: Skill) -> float:
        return log_loss(forecasts(pieces, {content: skill}))

    best = Skill()
    least = loss(best)
    names = [field.name for field in dataclasses.fields(Skill)]
    for step in _STEPS:
        better = True
        while better:
            better = False
            for name, sign in itertools.product(names, (step, -step)):
                value = min(max(getattr(best, name) + sign, _LEAST), _MOST)
                candidate = dataclasses.replace(best, **{name: value})
                if (found := loss(candidate)) < least - 1e-9:
                    best, least, better = candidate, found, True
    return best


def forecasts(
    evidence: Iterable[Evidence], skills: Mapping[Content, Skill]
) -> Iterator[tuple[float, float]]:
    """For each piece of evidence the chance of a right answer before it, and its score."""
    known: dict[tuple[str, Content], float] = {}
    for learner, content, score in evidence:
        skill = skills.get(content, Skill())
        chance = known.get((learner, content), skill.known)
        yield skill.forecast(chance), score
        known[learner, content] = skill.after(chance, score)
