"""What the report shows of the user activity."""

from local_runner.report import charts
from local_runner.report.charts import Bar
from local_runner.report.shown import Chart, FamilyReport, Query, Rows

_DAYS = 3


def _draw(rows: Rows) -> charts.Drawings:
    """The funnels of the last days, their colours alternating."""
    days = sorted({row[0] for row in rows})[-_DAYS:]
    inks = {day: (charts.STARTS, charts.COMPLETIONS)[days.index(day) % 2] for day in days}
    bars = [
        Bar(f"{day:%b %d}: {activity.replace('_', ' ')}", users, inks[day])
        for day, activity, users, *_ in rows
        if day in inks
    ]
    return charts.by_name(bars, "Users", full=True)


def _say(rows: Rows) -> str:
    days = sorted({row[0] for row in rows})
    last = ", ".join(
        f"{users:,} {activity.replace('_', ' ')}"
        for day, activity, users, *_ in rows
        if day == days[-1]
    )
    return f"Users by step, over {len(days):,} days; on {days[-1]:%b %d}: {last}."


_FUNNEL = Query(
    "user_funnel", "event_date, activity_type, users, events, conversion", "event_date, step"
)

REPORT = FamilyReport(
    summaries=(_FUNNEL,),
    charts=(Chart("User funnel by day", _FUNNEL, _draw, _say, full=True),),
)
