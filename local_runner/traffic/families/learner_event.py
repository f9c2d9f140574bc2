"""Learner events: visits of learners whose true mastery of each skill is known.

A learner's score of an item is drawn from the true mastery of its skill, which
``true_mastery`` gives for the same seed: so can an estimate be compared with the truth.
"""

import datetime as dt
import random
from collections.abc import Iterator

from local_runner.traffic.events import DAY_HOURS, Breakage, Broken, Event, Sent, encode, rfc3339
from local_runner.traffic.families.shop import unique_id
from schemas.errors import ErrorKind

SKILLS = ("fractions", "geometry", "grammar", "photosynthesis", "vocabulary")
LEARNERS = tuple(f"learner-{number:03}" for number in range(1, 121))
_LESSONS = 6  # of each skill
_ITEMS = 10  # of each skill

_MEAN_SECONDS = 40.0
_LONG_PAUSE, _PAUSE_MINUTES = 0.04, 12.0
_ABANDONED, _FAILED = 0.2, 0.03
_NOISE = 10.0  # points of a lesson's score around the true mastery
_PLATFORMS = ("web", "mobile", "tablet")


def true_mastery(seed: int, learner_id: str, skill: str) -> float:
    """How likely the learner is to solve an item of the skill, 0 to 1."""
    chance = random.Random(f"{seed}/{learner_id}/{skill}")  # noqa: S311 - traffic, not secrets
    ease = 1 + SKILLS.index(skill)  # the later ones are harder
    return chance.betavariate(4, ease)


def events(rng: random.Random, start: dt.datetime) -> Iterator[Sent]:
    """Endless events, visit by visit."""
    seed = rng.getrandbits(32)
    while True:
        yield from Visit(rng, start, seed).events()


class Visit:
    """One session of one learner; ``events`` yields what the platform sends."""

    def __init__(self, rng: random.Random, day: dt.datetime, seed: int) -> None:
        """Takes the start of the day, and the seed of ``true_mastery``."""
        self._rng = rng
        self._seed = seed
        self._learner = rng.choice(LEARNERS)
        self._session = unique_id(rng)
        self._now = day + dt.timedelta(hours=rng.uniform(0, DAY_HOURS - 1))
        self._metadata: Event = {"platform": rng.choice(_PLATFORMS), "app_version": "3.1.0"}
        if rng.random() < 0.3:  # an app that says more than it should
            self._metadata["user_agent"] = "Mozilla/5.0 (X11; Linux x86_64)"

    def events(self) -> Iterator[Sent]:
        """The events in the order in which they happen."""
        yield self._sent("session_start")
        for _ in range(self._rng.randint(1, 4)):
            skill = self._rng.choice(SKILLS)
            yield from self._lesson(skill) if self._rng.random() < 0.5 else self._quiz(skill)
            if self._rng.random() < _FAILED:
                message = "no answer from 192.0.2.17 for ann@example.com"
                yield self._sent("error", code="timeout", message=message)
        if self._rng.random() >= _ABANDONED:
            yield self._sent("session_end")

    def _lesson(self, skill: str) -> Iterator[Sent]:
        about = {
            "lesson_id": f"{skill}-lesson-{self._rng.randint(1, _LESSONS)}",
            "skill_ids": [skill],
        }
        yield self._sent("lesson_start", **about)
        for page in range(1, self._rng.randint(2, 5)):
            yield self._sent("page_view", page_id=f"{about['lesson_id']}-{page}", **about)
            if self._rng.random() < 0.6:
                yield self._sent("interaction", action="click", element_id=f"exercise-{page}")
        if self._rng.random() >= _ABANDONED:
            mean = 100 * true_mastery(self._seed, self._learner, skill)
            score = min(max(self._rng.gauss(mean, _NOISE), 0), 100)
            yield self._sent("lesson_complete", score=round(score, 1), **about)

    def _quiz(self, skill: str) -> Iterator[Sent]:
        about = {
            "assessment_id": f"{skill}-item-{self._rng.randint(1, _ITEMS)}",
            "skill_ids": [skill],
        }
        yield self._sent("assessment_start", **about)
        solved = self._rng.random() < true_mastery(self._seed, self._learner, skill)
        yield self._sent("assessment_complete", score=100 if solved else 0, **about)

    def _sent(self, kind: str, **data: object) -> Sent:
        event: Event = {
            "event_type": kind,
            "event_id": unique_id(self._rng),
            "learner_id": self._learner,
            "session_id": self._session,
            "timestamp": rfc3339(self._now),
            "version": "1.0",
            "data": data,
            "metadata": self._metadata,
        }
        sent = Sent(event, self._now)
        self._now += dt.timedelta(seconds=1 + self._rng.expovariate(1 / _MEAN_SECONDS))
        if self._rng.random() < _LONG_PAUSE:
            self._now += dt.timedelta(minutes=self._rng.expovariate(1 / _PAUSE_MINUTES))
        return sent


def _broken(event_type: str, field: str, data: Event) -> Breakage:
    def broken(event: Event) -> Broken:
        body = encode(event | {"event_type": event_type, "data": data})
        return Broken(body, ErrorKind.RULE_VIOLATION, f"data.{field}", hides_family=False)

    return broken


RULE_BREAKAGES: tuple[Breakage, ...] = (
    _broken("lesson_start", "lesson_id", {"page_id": "p"}),
    _broken("assessment_complete", "assessment_id", {"score": 50}),
    _broken("lesson_complete", "score", {"lesson_id": "l", "score": 101}),
    _broken("lesson_complete", "score", {"lesson_id": "l", "score": "90"}),
    _broken("page_view", "skill_ids", {"skill_ids": "fractions"}),
)
