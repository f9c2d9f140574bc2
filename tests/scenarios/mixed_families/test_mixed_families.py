"""Four families on one topic: through kills, as a file and as a stream they become the same."""

import dataclasses
import random
import time

import pytest

from schemas.families import FAMILIES
from tests.scenarios.mixed_families.stored import KEY_VARIABLE, OPTIONS, arrived, checked
from tests.scenarios.mixed_families.traffic import mixed
from tests.support.commands import run
from tests.support.streaming import streaming
from tests.support.subscriptions import archive, subscribe, unsubscribe

STEP = 1_000


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is sent; seconds after which a process is killed once it has done a batch."""

    messages: int
    streamed: int
    batch: int
    kills: int
    kill_seconds: float


SMALL = Size(600, streamed=120, batch=60, kills=1, kill_seconds=0.3)
LARGE = Size(100_000, streamed=2_000, batch=1_000, kills=10, kill_seconds=5)


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "0123456789abcdef" * 4)


@pytest.fixture
def report():
    """Prints what is done, and the seconds that it took."""
    began = time.monotonic()

    def show(text):
        print(f"{time.monotonic() - began:6.1f} s: {text}", flush=True)

    return show


def publish(machine, messages):
    machine.publish([(message.payload, message.attributes) for message in messages])


def wait_for(machine, dataset, messages):
    """In steps, each of which has to be done in time."""
    for step in [*range(STEP, messages, STEP), messages]:
        machine.wait_until(lambda step=step: arrived(machine.warehouse.client, dataset) >= step)


def stream(machine, subscription, dataset, messages):
    """The messages that a subscription has, through the stream."""
    dead_letters = machine.pubsub.dead_letter_topic, None
    names = {"events": (None, subscription), "dead-letters": dead_letters}
    log = machine.log.with_name("stream.log")
    streamed = dataclasses.replace(machine, log=log)
    with streaming(names, dataset, log, *OPTIONS) as streamed.process:
        wait_for(streamed, dataset, messages)
    unsubscribe(subscription)


def in_batches(machine, dataset, messages, size):
    """Publishes the messages while processes are killed; returns what each kill left undone."""
    rng = random.Random(size.messages)
    machine.arguments = [
        *OPTIONS,
        f"--dataset={dataset}",
        f"--micro_batch_max_messages={size.batch}",
    ]
    part = -(-len(messages) // (size.kills + 1))
    sent, undone = size.streamed, []
    for first in range(0, len(messages), part):
        machine.start()
        publish(machine, messages[first : first + part])
        sent += len(messages[first : first + part])
        if len(undone) < size.kills:
            machine.wait_until(lambda: machine.metrics().get("exam_events_received_total", 0) > 0)
            time.sleep(rng.uniform(0, size.kill_seconds))
            machine.kill()
            undone.append(sent - arrived(machine.warehouse.client, dataset))
    wait_for(machine, dataset, sent)
    assert machine.stop() == 0
    return undone


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(LARGE, id="large", marks=pytest.mark.soak),
    ],
)
def test_every_way_gives_the_same_rows_and_loses_nothing(
    machine, new_dataset, report, tmp_path, size
):
    client = machine.warehouse.client
    # Sessions of their own, so that their lateness does not depend on messages that come after.
    first = mixed(size.streamed, seed=5)
    others = mixed(size.messages - size.streamed, seed=6)
    to_stream, to_archive = subscribe(machine.pubsub), subscribe(machine.pubsub)
    publish(machine, first)
    streams, batches, files = (new_dataset(*FAMILIES.values()) for _ in range(3))

    report("streaming")
    stream(machine, to_stream, streams, size.streamed)
    of_stream = checked(client, streams, first)

    report("in batches")
    undone = in_batches(machine, batches, others, size)
    report(f"done; after the kills there were left: {undone}")
    assert any(undone), "each kill came after all was done"
    of_batches = checked(client, batches, [*first, *others])

    report("as a file")
    archive(to_archive, size.messages, tmp_path / "archive.avro")
    report("archived")
    done = run(f"--input={tmp_path / 'archive.avro'}", f"--dataset={files}", *OPTIONS)
    assert done.returncode == 0, done.stderr
    report("done")
    of_files = checked(client, files, [*first, *others])
    report("the same?")

    for name in FAMILIES:
        assert of_files[name] == of_batches[name]
        ids = {row["event_id"] for row in of_stream[name]}
        assert of_stream[name] == [row for row in of_batches[name] if row["event_id"] in ids]
    assert of_files["dead_letters"] == of_batches["dead_letters"]
    assert of_stream["dead_letters"].items() <= of_batches["dead_letters"].items()
