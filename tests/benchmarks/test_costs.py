"""The tables of the cost page are those that its arithmetic gives."""

from pathlib import Path

import pytest

from benchmarks import costs

PAGE = Path(__file__).parents[2] / "docs/costs.md"


def test_the_page_shows_what_the_arithmetic_gives():
    assert costs.tables() in PAGE.read_text()


def test_parts_by_hand():
    ours, *_ = costs.ways()
    # 684 bytes published and delivered, $40 per 2**40; 221 bytes at $0.025 per 2**30.
    assert ours.pubsub == pytest.approx(684e6 / 2**40 * 40)
    assert ours.ingestion == pytest.approx(221e6 / 2**30 * 0.025)
    # n1-standard-2 for a day: 24 * (2 * 0.069 + 7.5 * 0.003557)
    assert ours.workers(1) == pytest.approx(3.952, abs=0.001)
    assert ours.total(1) == pytest.approx(
        ours.workers(1) + ours.pubsub + ours.shuffle + ours.ingestion + ours.storage + ours.queries
    )


def test_a_busy_machine_costs_by_its_work():
    ours, *_ = costs.ways()
    busy = ours.core_seconds * costs.HARNESS_FACTOR / 3600 * ours.core_hour
    assert ours.workers(1_000_000) == pytest.approx(busy)
