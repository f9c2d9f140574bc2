"""The simulated learners."""

import datetime as dt
import itertools
import random
from pathlib import Path

from local_runner.traffic.events import encode
from local_runner.traffic.families import traffic_of
from local_runner.traffic.families.learner_event import LEARNERS, SKILLS, true_mastery
from schemas.families import FAMILIES
from transforms.decoding.decode import Decoder

ROOT = Path(__file__).parents[3]
START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
FAMILY = FAMILIES["learner_event"]


def test_traffic_has_every_type_of_event_and_what_must_not_be_stored() -> None:
    decoder = Decoder(FAMILY)
    drawn = itertools.islice(traffic_of(FAMILY).events(random.Random(1), START), 3_000)
    events = [decoder.decode(encode(sent.event))[0] for sent in drawn]
    assert {event.event_type for event in events} == set(FAMILY.event_types)
    assert decoder.dropped.keys() == {"metadata.user_agent"}
    messages = {event.data["message"] for event in events if event.event_type == "error"}
    assert messages == {"no answer from [ip] for [email]"}


def test_scores_follow_the_true_mastery() -> None:
    rng = random.Random(3)
    seed = random.Random(3).getrandbits(32)
    scores: dict[str, list[tuple[float, float]]] = {skill: [] for skill in SKILLS}
    for sent in itertools.islice(traffic_of(FAMILY).events(rng, START), 20_000):
        event = sent.event
        if event["event_type"] == "assessment_complete":
            [skill] = event["data"]["skill_ids"]
            truth = true_mastery(seed, event["learner_id"], skill)
            scores[skill].append((truth, event["data"]["score"] / 100))
    for pairs in scores.values():
        truth, seen = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
        assert abs(truth - seen) < 0.1


def test_true_mastery_is_that_of_the_seed() -> None:
    learner, skill = LEARNERS[0], SKILLS[0]
    assert true_mastery(1, learner, skill) == true_mastery(1, learner, skill)
    assert true_mastery(1, learner, skill) != true_mastery(2, learner, skill)
