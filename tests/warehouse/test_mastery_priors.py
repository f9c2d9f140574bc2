"""``python -m warehouse fit_mastery_priors``, on the emulator."""

import random

from tests.conftest import Warehouse
from tests.ddl import golden
from transforms.mastery import Content, Evidence, fit
from warehouse.__main__ import main

Row = golden.Row
LESSONS = {"easy": 0.9, "hard": 0.2}


def completions(learners: int) -> list[Row]:
    """One score of each learner in each lesson, 0 or 100."""
    chance = random.Random(4)
    rows = [
        {
            "event_type": "lesson_complete",
            "learner_id": f"l{learner:03}",
            "timestamp": f"2026-03-02T10:{learner % 60:02}:{position:02}Z",
            "data": {"lesson_id": lesson, "score": 100 * (chance.random() < ability)},
        }
        for learner in range(learners)
        for position, (lesson, ability) in enumerate(LESSONS.items())
    ]
    family = golden.FAMILIES["learner_event"]
    return [golden.fact(row, place, family) for place, row in enumerate(rows, 1)]


def settings(warehouse: Warehouse) -> dict[str | None, tuple[float, float]]:
    sql = f"SELECT * FROM `{warehouse.dataset.table('mastery_settings')}`"
    rows = warehouse.client.query(sql).result()
    return {row.content_id: (float(row.prior_mean), float(row.prior_weight)) for row in rows}


def test_the_fitted_priors_replace_those_there_were(applied_families: Warehouse, capsys) -> None:
    warehouse, dataset = applied_families, applied_families.dataset
    at = ["--dataset", str(dataset)]
    assert main(["fit_mastery_priors", *at]) == 0
    assert "no evidence of mastery yet" in capsys.readouterr().out

    stale = {"content_type": "lesson", "content_id": "old", "prior_mean": "0.1"}
    assert not warehouse.client.insert_rows_json(dataset.table("mastery_settings"), [stale])
    rows = completions(learners=30)
    texts = [golden.as_text(row) for row in rows]
    assert not warehouse.client.insert_rows_json(dataset.table("learner_events_fact"), texts)

    assert main(["fit_mastery_priors", "--dry_run", *at]) == 0
    said = capsys.readouterr().out
    assert "60 pieces of evidence of 2 contents" in said
    assert "0.693 with the priors that mastery_settings has" in " ".join(said.split())
    assert "would replace mastery_settings: 3 rows" in said
    count = f"SELECT COUNT(*) AS n FROM `{dataset.table('mastery_settings')}`"
    [row] = warehouse.client.query(count).result()
    assert row.n == 1

    for _ in range(2):
        assert main(["fit_mastery_priors", *at]) == 0
        assert "mastery_settings replaced: 3 rows" in capsys.readouterr().out
        expected = fit(
            [
                Evidence(
                    row["learner_id"],
                    Content("lesson", row["data"]["lesson_id"]),
                    row["data"]["score"] / 100,
                )
                for row in rows
            ]
        )
        found = settings(warehouse)
        assert found.keys() == {None, *LESSONS}
        for name, (mean, weight) in found.items():
            prior = expected.default if name is None else expected[Content("lesson", name)]
            assert (mean, weight) == (round(prior.mean, 9), round(prior.weight, 9))
    assert found["easy"][0] > 0.7 > 0.4 > found["hard"][0]


def test_a_dataset_without_the_tables_is_one_line(warehouse: Warehouse, capsys) -> None:
    assert main(["fit_mastery_priors", "--dataset", str(warehouse.dataset)]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: ")
