"""A million messages: memory stays where it was; and waiting for more costs next to nothing."""

import time

import psutil
import pytest

from benchmarks.harness.traffic import stream

SIZE, PART = 1_000_000, 50_000
IDLE_SECONDS = 30


@pytest.mark.soak
def test_memory_stays_flat_over_a_million_messages(machine):
    machine.start()
    process = psutil.Process(machine.process.pid)
    payloads = stream(SIZE, leave_out=frozenset({"store_error"}))
    resident = []
    for part in range(1, SIZE // PART + 1):
        machine.publish([(next(payloads), {"origin": "test"}) for _ in range(PART)])
        machine.wait_until(
            lambda done=part * PART: machine.metrics()["exam_events_written_total"] >= done
        )
        resident.append(process.memory_info().rss)
    sizes = ", ".join(f"{size / 2**20:.0f}" for size in resident)
    print(f"resident MiB after every {PART:,} messages: {sizes}")
    # The first parts fill what is bounded: pools, and the sessions that are remembered.
    assert max(resident[-5:]) < 1.05 * max(resident[5:10]), sizes

    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after = process.cpu_times()
    idle = after.user + after.system - before.user - before.system
    print(f"{idle:.2f} s of processor time in {IDLE_SECONDS} s without a message")
    assert idle < 0.01 * IDLE_SECONDS
    assert machine.stop() == 0
