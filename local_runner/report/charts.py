"""The KPI charts as inline SVG: no script, colours from the page's own style."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import altair
import vl_convert

# Vega draws with plain colours; the page replaces them with its variables, so that one drawing
# serves the light and the dark style.
_INKS = {
    "#010101": "var(--text)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--starts)",
    "#050505": "var(--completions)",
    "#060606": "var(--wrong)",
}
_TEXT, _MUTED, _LINE, STARTS, COMPLETIONS, WRONG = _INKS
_FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_HALF_WIDTH, _FULL_WIDTH = 440, 880
_LONGEST_AXIS = dt.timedelta(hours=72)
_HOUR = dt.timedelta(hours=1)


def by_hour(rows: Sequence[tuple[dt.datetime, int]], unit: str, ink: str) -> str:
    """Bars over UTC hours.

    Args:
        rows: hour and count, in any order.
        unit: what is counted, the title of the vertical axis.
        ink: colour of the bars, one of this module's.
    """
    values = [
        {"hour": f"{hour:%H:%M}", "day": f"{hour:%b %d}", "key": f"{hour:%d %H:%M}", "count": count}
        for hour, count in _without_gaps(rows)
    ]
    base = altair.Chart(altair.InlineData(values=values)).encode(
        x=altair.X(
            "key:N",
            sort=None,
            title="Hour (UTC)",
            axis=altair.Axis(labelExpr="slice(datum.label, 3)", labelAngle=0, labelOverlap=True),
        ),
        y=altair.Y("count:Q", title=unit, axis=altair.Axis(tickMinStep=1, tickCount=5)),
    )
    bars = base.mark_bar(color=ink, cornerRadiusEnd=3)
    numbers = base.mark_text(color=_TEXT, dy=-8, fontSize=12).encode(text="count:Q")
    return _svg((bars + numbers).properties(width=_HALF_WIDTH, height=230))


def question(test_id: str, question_id: str) -> str:
    """A question's name in a chart: two tests may each have a question of one id."""
    return f"{test_id}: {question_id}"


def by_question(rows: Sequence[tuple[str, str, int]], unit: str, ink: str, most: int = 15) -> str:
    """Horizontal bars for the first ``most`` rows of test, question and count."""
    values = [{"question": question(*ids), "count": count} for *ids, count in rows[:most]]
    base = altair.Chart(altair.InlineData(values=values)).encode(
        y=altair.Y("question:N", sort=None, title=None),
        x=altair.X("count:Q", title=unit, axis=altair.Axis(tickMinStep=1, tickCount=6)),
    )
    bars = base.mark_bar(color=ink, cornerRadiusEnd=3, height=16)
    numbers = base.mark_text(color=_TEXT, dx=6, align="left", fontSize=12).encode(text="count:Q")
    return _svg((bars + numbers).properties(width=_FULL_WIDTH, height={"step": 26}))


def _without_gaps(rows: Sequence[tuple[dt.datetime, int]]) -> list[tuple[dt.datetime, int]]:
    """Hours in order, those between them with 0 unless a clock was days off."""
    counts = dict(sorted(rows))
    if not counts:
        return []
    first, last = min(counts), max(counts)
    if last - first > _LONGEST_AXIS:
        return list(counts.items())
    hours = (first + number * _HOUR for number in range((last - first) // _HOUR + 1))
    return [(hour, counts.get(hour, 0)) for hour in hours]


def _svg(chart: Any) -> str:
    styled = (
        chart.configure(font=_FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_MUTED,
            titleColor=_MUTED,
            titleFontWeight="normal",
            labelFontSize=12,
            titleFontSize=12,
            titlePadding=10,
            labelLimit=220,
            grid=False,
            domainColor=_LINE,
            ticks=False,
            labelPadding=6,
        )
        .configure_axisQuantitative(grid=True, gridColor=_LINE, domain=False)
    )
    svg: str = vl_convert.vegalite_to_svg(styled.to_json())
    for ink, variable in _INKS.items():
        svg = svg.replace(ink, variable)
    return svg
