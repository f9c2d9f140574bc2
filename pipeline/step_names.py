"""Prints the step names of a stream of all event families: ``python -m pipeline.step_names``.

``deploy/launch.sh`` finds in them the steps of a job that reads some of the families.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from pipeline import graph
from pipeline.options import parse
from schemas.families import FAMILIES
from schemas.family import EventFamily

_STREAM = (
    "--input_subscription=projects/any-project/subscriptions/any",
    "--dead_letter_topic=projects/any-project/topics/any",
    "--dataset=any-project.any",
)


def step_names(families: Sequence[EventFamily]) -> list[str]:
    """The full names of the steps without inner steps, in the order of the graph."""
    config, options = parse(_STREAM)
    config = dataclasses.replace(config, families=tuple(families))
    pipeline = beam.Pipeline(options=options)
    graph.build(pipeline, config, config.asked_bounds)
    built = pipeline.to_runner_api()
    transforms = built.components.transforms

    def leaves(ids: Iterable[str]) -> Iterator[str]:
        for id_ in ids:
            inner = transforms[id_].subtransforms
            yield from leaves(inner) if inner else [transforms[id_].unique_name]

    return list(leaves(built.root_transform_ids))


if __name__ == "__main__":
    print(*step_names(list(FAMILIES.values())), sep="\n")
