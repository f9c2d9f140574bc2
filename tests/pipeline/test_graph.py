"""The shape of the graph: names that a running job is updated by, and types with coders of ours."""

import apache_beam as beam
import pytest

from pipeline import graph
from pipeline.options import parse
from schemas.coders import StructCoder
from tests.support.commands import BOUNDED, STREAM

# A running job keeps its state under these names. To change one is to break an update: say so in
# the CHANGELOG, and mend it here.
STEPS = [
    "ReadMessages",
    "ValidateEvents",
    "JudgeLateness",
    "WriteFacts",
    "RejectedEvents",
    "DeadLetters",
    "WriteDeadLetters",
    "CountRefusedDeadLetters",
    "PublishDeadLetters",
]


@pytest.fixture
def build(monkeypatch):
    monkeypatch.setattr("pipeline.sources.files.match", lambda pattern: [pattern])

    def build(argv):
        config, options = parse(argv)
        pipeline = beam.Pipeline(options=options)
        graph.build(pipeline, config, config.asked_bounds)
        return pipeline

    return build


def top_level(pipeline):
    return [part.full_label for part in pipeline.transforms_stack[0].parts]


def test_step_names_are_stable(build):
    assert top_level(build(STREAM)) == STEPS


def test_a_file_runs_through_the_same_steps(build):
    assert top_level(build(BOUNDED)) == STEPS[:-1]
    assert top_level(build([*BOUNDED, STREAM[1]])) == STEPS


def test_structs_travel_under_coders_of_ours(build):
    coders = beam.coders.registry
    outputs = {
        part.full_label: next(iter(part.outputs.values()))
        for part in build(STREAM).transforms_stack[0].parts
        if part.outputs
    }
    for step in ("ReadMessages", "ValidateEvents", "RejectedEvents", "DeadLetters"):
        assert isinstance(coders.get_coder(outputs[step].element_type), StructCoder), step
    judged = coders.get_coder(outputs["JudgeLateness"].element_type)
    assert all(isinstance(part, StructCoder) for part in judged.coders())
    assert judged.is_deterministic()
