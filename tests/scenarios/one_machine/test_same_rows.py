"""The same messages through this mode, through the stream and as an archive: the same events."""

import dataclasses

from tests.scenarios.one_machine.traffic import mixed, sent
from tests.support.commands import run
from tests.support.streaming import streaming
from tests.support.subscriptions import archive, subscribe

SIZE = 400
EVENTS = "SELECT * EXCEPT (ingest_ts, pipeline_version) FROM `{}.events` ORDER BY event_id"


def test_every_way_gives_the_same_events(machine, new_dataset, tmp_path):
    warehouse, pubsub = machine.warehouse, machine.pubsub
    streamed, archived = new_dataset(), new_dataset()
    to_stream, to_archive = subscribe(pubsub), subscribe(pubsub)
    messages = mixed(SIZE, seed=1)
    machine.publish(sent(messages))

    machine.start("--micro_batch_max_messages=50")  # so that sessions reach over batches
    machine.wait_for(SIZE)
    assert machine.stop() == 0

    names = {"events": (None, to_stream), "dead-letters": (pubsub.dead_letter_topic, None)}
    log = tmp_path / "stream.log"
    with streaming(names, streamed, log) as machine.process:
        elsewhere = dataclasses.replace(warehouse, dataset=streamed)
        dataclasses.replace(machine, warehouse=elsewhere, log=log).wait_for(SIZE)

    archive(to_archive, SIZE, tmp_path / "archive.avro")
    done = run(f"--input={tmp_path / 'archive.avro'}", f"--dataset={archived}")
    assert done.returncode == 0, done.stderr

    first, *others = (
        [dict(row.items()) for row in warehouse.client.query(EVENTS.format(dataset)).result()]
        for dataset in (warehouse.dataset, streamed, archived)
    )
    assert len(first) > SIZE * 0.8
    assert {row["late_status"] for row in first} >= {"ON_TIME", "LATE", "NOT_APPLICABLE"}
    assert others == [first, first]
