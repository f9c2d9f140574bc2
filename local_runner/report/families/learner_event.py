"""What the report shows of the learner events."""

from local_runner.report import charts
from local_runner.report.charts import Bar
from local_runner.report.shown import Chart, FamilyReport, Query, Rows

_SKILLS = Query(
    "mastery_deltas",
    "content_id, COUNT(DISTINCT learner_id) AS learners, COUNT(*) AS attempts, AVG(score) AS mean",
    order="content_id",
    group="content_type, content_id HAVING content_type = 'skill'",
)


def _draw(rows: Rows) -> charts.Drawings:
    bars = [Bar(skill, 100 * float(mean), charts.COMPLETIONS) for skill, *_, mean in rows]
    return charts.by_name(bars, "Mean score of first attempts, percent", number_format=".0f")


def _say(rows: Rows) -> str:
    hardest = min(rows, key=lambda row: row[3])
    attempts = sum(row[2] for row in rows)
    return (
        f"First attempts by skill: {attempts:,} at {len(rows):,} skills; the hardest is "
        f"{hardest[0]}, with a mean score of {100 * float(hardest[3]):.0f} percent."
    )


REPORT = FamilyReport(
    summaries=(
        Query(
            "session_metrics",
            "learner_id, session_start, duration_seconds, total_events, lessons_completed, "
            "assessments_completed, avg_assessment_score",
            "session_start DESC, session_id",
        ),
        Query(
            "mastery_deltas",
            "learner_id, content_type, content_id, previous_mastery, current_mastery, "
            "confidence_score, evidence_count",
            "evidence_ts DESC, learner_id, content_type, content_id",
        ),
    ),
    charts=(Chart("First attempts by skill", _SKILLS, _draw, _say),),
)
