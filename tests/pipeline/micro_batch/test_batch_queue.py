"""How messages become batches."""

import dataclasses
import threading

import pytest

from pipeline.micro_batch.batch_queue import MAX_BATCH_BYTES, BatchQueue


@dataclasses.dataclass(frozen=True)
class Pulled:
    """Stands for a message of the Pub/Sub client."""

    number: int
    size: int = 100


def filled(count, max_messages, max_seconds=0.0, size=100):
    batch_queue = BatchQueue(max_messages, max_seconds)
    for number in range(count):
        batch_queue.put("stream", Pulled(number, size))
    return batch_queue


def numbers(batch):
    return [message.number for message in batch]


def test_what_has_arrived_is_taken_in_its_order():
    assert numbers(filled(3, max_messages=10).take()) == [0, 1, 2]


def test_a_full_batch_waits_for_nothing_and_leaves_the_rest():
    batch_queue = filled(25, max_messages=10, max_seconds=600)
    assert numbers(batch_queue.take()) == list(range(10))
    assert numbers(batch_queue.take()) == list(range(10, 20))
    assert batch_queue.oldest().number == 20


def test_bytes_fill_a_batch_as_well():
    batch_queue = filled(3, max_messages=10, max_seconds=600, size=MAX_BATCH_BYTES // 2)
    assert numbers(batch_queue.take()) == [0, 1]


def test_a_message_larger_than_a_batch_is_one():
    batch_queue = filled(2, max_messages=10, max_seconds=600, size=2 * MAX_BATCH_BYTES)
    assert numbers(batch_queue.take()) == [0]
    assert numbers(batch_queue.take()) == [1]


def test_the_loop_sleeps_until_something_arrives():
    batch_queue, taken = BatchQueue(2, 600), []
    loop = threading.Thread(target=lambda: taken.append(batch_queue.take()))
    loop.start()
    for number in range(2):
        batch_queue.put("stream", Pulled(number))
    loop.join(10)
    assert [numbers(batch) for batch in taken] == [[0, 1]]


def test_what_is_given_back_while_a_batch_fills_does_not_end_the_loop():
    batch_queue = filled(1, max_messages=10, max_seconds=0.2)
    taken = []
    loop = threading.Thread(target=lambda: taken.append(batch_queue.take()))
    loop.start()
    batch_queue.give_back("stream")
    loop.join(0.6)
    assert loop.is_alive(), "an empty batch would mean that the batch_queue was closed"
    batch_queue.put("stream", Pulled(7))
    loop.join(30)
    assert [numbers(batch) for batch in taken] == [[7]]


def test_a_stream_takes_back_only_what_came_by_it():
    batch_queue = BatchQueue(10, 0)
    for number in range(6):
        batch_queue.put(("even", "odd")[number % 2], Pulled(number))
    assert numbers(batch_queue.give_back("odd")) == [1, 3, 5]
    assert numbers(batch_queue.take()) == [0, 2, 4]
    assert batch_queue.oldest() is None


def test_a_closed_inbox_gives_no_batch_and_keeps_what_waits_for_its_stream():
    batch_queue = filled(3, max_messages=10, max_seconds=600)
    loop = threading.Timer(0.1, batch_queue.close)
    loop.start()
    assert batch_queue.take() == []
    assert numbers(batch_queue.give_back("stream")) == [0, 1, 2]


def test_a_failure_of_the_streams_reaches_the_loop():
    batch_queue = BatchQueue(10, 0)
    batch_queue.close(KeyError("first"))
    batch_queue.close(ValueError("second"))
    with pytest.raises(KeyError):
        batch_queue.take()
