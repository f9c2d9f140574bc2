"""The charts as inline SVG: no script, colours from the page's stylesheet."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import altair
import vl_convert

# Vega measures and draws with plain colours; they are then replaced by the page's variables, so
# that one drawing serves the light and the dark style.
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
_FONT_SIZE, _DIGIT = 12, 7
# A drawing is scaled to its box, text included, so each chart is drawn for two widths (px) and
# the page shows the one that leaves the text at 9 px or more.
_NARROW, _HALF, _FULL = 320, 490, 860
_AXIS_WIDTH, _HOUR_LABEL = 60, 42
_LONGEST_AXIS = dt.timedelta(hours=72)
_HOUR = dt.timedelta(hours=1)
_HOUR_KEY = "%Y %b %d %H:%M"
_LONGEST_NAME = 42

Drawings = Mapping[str, str]


class Bar(NamedTuple):
    """A bar of a chart; ``ink`` is its colour, one of this module's."""

    name: str
    length: float
    ink: str


def by_hour(rows: Sequence[tuple[dt.datetime, int]], unit: str, ink: str) -> Drawings:
    """Bars over UTC hours.

    Args:
        rows: hour and count, in any order, at least one.
        unit: what is counted, the title of the vertical axis.
        ink: colour of the bars, one of this module's.

    Returns:
        SVG by the class that the page shows it in: narrow, wide.
    """
    hours = _without_gaps(rows)
    return {"narrow": _hours(hours, unit, ink, _NARROW), "wide": _hours(hours, unit, ink, _HALF)}


def by_name(
    bars: Sequence[Bar],
    unit: str,
    *,
    full: bool = False,
    number_format: str = ",",
    most: int = 15,
) -> Drawings:
    """Horizontal bars, the first ``most``.

    Args:
        bars: at least one.
        unit: what their lengths are, the title of the axis.
        full: whether the drawing is as wide as the page.
        number_format: of the number at the end of a bar, as d3-format has it.
        most: how many are drawn.

    Returns:
        SVG by the class that the page shows it in: narrow (names above the bars), wide.
    """
    values = [
        {"key": f"{row:02} {_shortened(bar.name)}", "length": bar.length, "ink": bar.ink}
        for row, bar in enumerate(bars[:most])
    ]
    return {
        "narrow": _bars(values, unit, number_format, _NARROW),
        "wide": _bars(values, unit, number_format, _FULL if full else _HALF),
    }


def _hours(hours: Sequence[tuple[dt.datetime, int]], unit: str, ink: str, width: int) -> str:
    values = [{"hour": f"{hour:{_HOUR_KEY}}", "count": count} for hour, count in hours]
    room = (width - _AXIS_WIDTH) / len(hours)
    every = next((n for n in (1, 2, 3, 6, 12) if n * room >= _HOUR_LABEL), 24)
    labelled = [hour for hour, _ in hours if hour.hour % every == 0] or [hours[0][0]]
    # The first label of a day has its date below.
    dated = {hour.date(): f"{hour:{_HOUR_KEY}}" for hour in reversed(labelled)}
    top = max(count for _, count in hours)
    base = altair.Chart(altair.InlineData(values=values)).encode(
        x=altair.X(
            "hour:N",
            sort=None,
            title="Hour (UTC)",
            axis=altair.Axis(
                values=[f"{hour:{_HOUR_KEY}}" for hour in labelled],
                labelExpr=f"indexof({list(dated.values())}, datum.label) >= 0"
                " ? [slice(datum.label, 12), slice(datum.label, 5, 11)]"
                " : slice(datum.label, 12)",
                labelAngle=0,
                labelOverlap=True,
            ),
        ),
        y=altair.Y(
            "count:Q",
            title=unit,
            scale=_scale(top, 1.12),
            axis=altair.Axis(tickMinStep=1, tickCount=5),
        ),
    )
    layers = [base.mark_bar(color=ink, cornerRadiusEnd=3)]
    if room >= _DIGIT * len(f"{top:,}"):
        layers.append(
            base.mark_text(color=_TEXT, dy=-8, fontSize=_FONT_SIZE).encode(
                text=altair.Text("count:Q", format=",")
            )
        )
    return _svg(altair.layer(*layers).properties(height=280), width, "fit")


def _bars(values: Sequence[Mapping[str, Any]], unit: str, number_format: str, width: int) -> str:
    narrow = width == _NARROW
    name = "slice(datum.label, 3)"
    # In the narrow drawing the names are above the bars, from the axis to the right.
    axis = (
        altair.Axis(labelExpr=name, labelAlign="left", labelPadding=-2, labelOffset=-16)
        if narrow
        else altair.Axis(labelExpr=name)
    )
    top = max(value["length"] for value in values)
    base = altair.Chart(altair.InlineData(values=values)).encode(
        y=altair.Y("key:N", sort=None, title=None, axis=axis),
        x=altair.X(
            "length:Q",
            title=unit,
            scale=_scale(top, 1.08 if width == _FULL else 1.2),
            axis=altair.Axis(tickMinStep=1, tickCount=4 if narrow else 6, grid=not narrow),
        ),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=12 if narrow else 16).encode(
        color=altair.Color("ink:N", scale=None, legend=None)
    )
    numbers = base.mark_text(color=_TEXT, dx=6, align="left", fontSize=_FONT_SIZE).encode(
        text=altair.Text("length:Q", format=number_format)
    )
    height = {"step": 40 if narrow else 26}
    return _svg((bars + numbers).properties(height=height), width, "fit-x")


def _scale(top: float, headroom: float) -> altair.Scale:
    """From 0 to past the longest bar, so that its number is inside the chart."""
    return altair.Scale(domainMin=0, domainMax=top * headroom, nice=False)


def _shortened(name: str) -> str:
    """Long names without their middle: ids often differ only at the end."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[: half - 1]}\u2026{name[-half:]}"


def _without_gaps(rows: Sequence[tuple[dt.datetime, int]]) -> list[tuple[dt.datetime, int]]:
    """Hours in order, those between them with 0 unless a clock was days off."""
    counts = dict(sorted(rows))
    first, last = min(counts), max(counts)
    if last - first > _LONGEST_AXIS:
        return list(counts.items())
    hours = (first + number * _HOUR for number in range((last - first) // _HOUR + 1))
    return [(hour, counts.get(hour, 0)) for hour in hours]


def _svg(chart: Any, width: int, fit: Literal["fit", "fit-x"]) -> str:
    styled = (
        chart.properties(
            width=width, padding=2, autosize=altair.AutoSizeParams(type=fit, contains="padding")
        )
        .configure(font=_FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_MUTED,
            titleColor=_MUTED,
            titleFontWeight="normal",
            labelFontSize=_FONT_SIZE,
            titleFontSize=_FONT_SIZE,
            titlePadding=10,
            labelLimit=width - 20 if width == _NARROW else 300,
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
    # Without a size of its own, the drawing takes the width of its box.
    return re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
