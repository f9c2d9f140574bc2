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
        sum(
            (
                *(ours.workers(1), ours.pubsub, ours.shuffle, ours.ingestion),
                *(ours.storage, ours.archive, ours.summaries),
            )
        )
    )


def test_the_nights_queries_by_hand():
    ours, micro_batch, *_ = costs.ways()
    # Two summaries of nine days; yesterday reads 9 partitions that have rows, the oldest all 17.
    partitions = 2 * (9 + 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17)
    starts = costs.session_starts(1, costs.SESSIONS_ASKED)
    assert ours.queries(1) == pytest.approx(partitions * 150e6 / 2**40 * 6.25)
    assert micro_batch.queries(1) == pytest.approx(ours.queries(1) + starts)


def test_no_query_for_session_starts_bills_less_than_the_least():
    # One event a batch, 900 sessions of a million events asked for, 10 MiB each.
    least = 900 * 10 * 2**20 / 2**40 * 6.25
    assert costs.session_starts(0.001, 0.0009) == pytest.approx(least, rel=0.01)


def test_the_tables_follow_what_terraform_lays_down():
    folder = Path(__file__).parents[2] / "deploy/terraform"
    assert f'"{costs.TOPIC_DAYS * 86_400}s"' in (folder / "pubsub.tf").read_text()
    assert f"age = {costs.ACTIVE_DAYS}\n" in (folder / "archive.tf").read_text()
    assert f"default     = {costs.ARCHIVE_DAYS}\n" in (folder / "variables.tf").read_text()


def test_a_busy_machine_costs_by_its_work():
    ours, *_ = costs.ways()
    busy = ours.core_seconds * costs.HARNESS_FACTOR / 3600 * ours.core_hour
    assert ours.workers(1_000_000) == pytest.approx(busy)
