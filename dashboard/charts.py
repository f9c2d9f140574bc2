"""Panels as Vega-Lite: drawn in the browser, with the colours of its stylesheet.

A colour is the name of a variable of dashboard.css, ``var(--starts)``; dashboard.js puts in the
value that the variable has in light or dark mode.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dashboard.formats import number
from dashboard.layout import Panel

Row = Mapping[str, Any]

_HOUR = dt.timedelta(hours=1)
_SHORTEST_AXIS = dt.timedelta(hours=12)
_MOST_BARS = 15
_LONGEST_NAME = 36
_SERIES = [f"var(--series-{n})" for n in range(1, 8)]


def spec(panel: Panel, rows: Sequence[Row]) -> dict[str, Any] | None:
    """The chart of a panel's rows; None where it has none, or there is nothing to draw."""
    draw = {"hours": _hours, "lines": _lines, "bars": _bars, "bands": _bands}.get(panel.chart)
    if draw is None or not rows:
        return None
    return {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}} | draw(
        panel, rows
    )


def _hours(panel: Panel, rows: Sequence[Row]) -> dict[str, Any]:
    """Bars over hours, stacked by the second dimension where there is one."""
    hour, *split = panel.dimensions
    measure = panel.source.measure(panel.measures[0])
    values, tops = [], dict.fromkeys((row[hour] for row in rows), 0)
    for row in rows:
        low = tops[row[hour]]
        tops[row[hour]] = high = low + row[measure.name]
        values.append(
            {
                "from": row[hour].isoformat(),
                "to": (row[hour] + _HOUR).isoformat(),
                "low": low,
                "high": high,
                "count": row[measure.name],
                "kind": str(row[split[0]]) if split else measure.label,
            }
        )
    encoding: dict[str, Any] = {
        "x": _time(),
        "x2": {"field": "to"},
        "y": _count("high", measure.label),
        "y2": {"field": "low"},
        "tooltip": _tooltip({"field": "count", "format": ",", "title": measure.label}),
    }
    if split:
        encoding["color"] = _colours("kind")
    mark = {"type": "rect", "color": f"var(--{panel.colour})", "stroke": "var(--card)"}
    return _wide_enough(_chart(values, mark, encoding), tops)


def _lines(panel: Panel, rows: Sequence[Row]) -> dict[str, Any]:
    """A line for each measure over hours."""
    hour = panel.dimensions[0]
    measures = [panel.source.measure(name) for name in panel.measures]
    values = [
        {"from": row[hour].isoformat(), "value": row[measure.name], "kind": measure.label}
        for row in rows
        for measure in measures
        if row[measure.name] is not None
    ]
    encoding: dict[str, Any] = {
        "x": _time(),
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": "Seconds",
            "axis": {"tickCount": 5},
        },
        "color": _colours("kind"),
        "tooltip": _tooltip({"field": "value", "format": ",.1f", "title": "Seconds"}),
    }
    line = {"type": "line", "point": True, "strokeWidth": 2}
    return _wide_enough(_chart(values, line, encoding), [row[hour] for row in rows])


def _bars(panel: Panel, rows: Sequence[Row]) -> dict[str, Any]:
    """Horizontal bars for the first rows, their names above them: so they fit a phone."""
    measure = panel.source.measure(panel.measures[0])
    values = [
        {
            "key": f"{place:02}",
            "name": _shortened(named(panel, row)),
            "count": row[measure.name],
            "text": number(row[measure.name], measure.format),
        }
        for place, row in enumerate(rows[:_MOST_BARS])
    ]
    place = {"field": "key", "type": "nominal", "title": None, "sort": None, "axis": None}
    encoding = {
        "y": place,
        "x": _count("count", measure.label),
        "tooltip": [
            {"field": "name", "type": "nominal", "title": " "},
            {"field": "text", "type": "nominal", "title": measure.label},
        ],
    }
    bar = {"type": "bar", "color": f"var(--{panel.colour})", "height": 12, "yOffset": 8}
    chart = _chart(values, bar, encoding)
    base = {"y": place, "x": {"value": 0}}
    name = {"type": "text", "align": "left", "dy": -10, "color": "var(--text)"}
    chart["layer"] = [
        {"mark": chart.pop("mark"), "encoding": chart.pop("encoding")},
        {"mark": name, "encoding": base | {"text": {"field": "label"}}},
    ]
    chart["transform"] = [{"calculate": "datum.name + '  ·  ' + datum.text", "as": "label"}]
    chart["height"] = 40 * len(values)
    return chart


def _bands(panel: Panel, rows: Sequence[Row]) -> dict[str, Any]:
    """Vertical bars over ten bands of ten percent."""
    band, measure = panel.dimensions[0], panel.source.measure(panel.measures[0])
    counts = {round(10 * row[band]): row[measure.name] for row in rows}
    values = [
        {"band": f"{10 * n}-{10 * n + 10} %", "count": counts.get(n, 0)}  # none is a bar of 0
        for n in range(10)
    ]
    encoding = {
        "x": {
            "field": "band",
            "type": "ordinal",
            "sort": None,
            "title": "Accuracy",
            "axis": {
                "labelAngle": 0,
                "labelOverlap": True,
                "labelExpr": "split(datum.label, '-')[0]",
            },
        },
        "y": _count("count", measure.label),
        "tooltip": [
            {"field": "band", "type": "nominal", "title": "Accuracy"},
            {"field": "count", "type": "quantitative", "format": ",", "title": measure.label},
        ],
    }
    mark = {"type": "bar", "color": f"var(--{panel.colour})", "cornerRadiusEnd": 3}
    return _chart(values, mark, encoding)


def named(panel: Panel, row: Row) -> str:
    """What a row is about: its dimensions, a boolean by its label."""
    parts = []
    for name in panel.dimensions:
        dimension, value = panel.source.dimension(name), row[name]
        if dimension is not None and dimension.format == "boolean":
            parts += (
                []
                if value is None
                else [dimension.label if value else f"not {dimension.label.lower()}"]
            )
        else:
            parts.append("(none)" if value is None else str(value))
    return " · ".join(parts)


def _shortened(name: str) -> str:
    """Long names without their middle: ids often differ only at the end."""
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def _time() -> dict[str, Any]:
    midnight = "hours(datum.value) + minutes(datum.value) === 0"
    label = f"timeFormat(datum.value, {midnight} ? '%-d %b' : '%H:%M')"
    axis = {"labelOverlap": True, "tickCount": 6, "labelFlush": True, "labelExpr": label}
    return {"field": "from", "type": "temporal", "title": None, "axis": axis}


def _wide_enough(chart: dict[str, Any], hours: Collection[dt.datetime]) -> dict[str, Any]:
    """The chart on an axis of some hours at least: one hour is not drawn as wide as days."""
    first, end = min(hours), max(hours) + _HOUR
    margin = (_SHORTEST_AXIS - (end - first)) / 2
    if margin <= dt.timedelta():
        return chart
    # By points that nobody sees: Vega-Lite warns about a scale's own domain.
    ends = [{"from": moment.isoformat()} for moment in (first - margin, end + margin)]
    layers = [
        {"mark": chart.pop("mark"), "encoding": chart.pop("encoding")},
        {
            "data": {"values": ends},
            "mark": {"type": "point", "opacity": 0},
            "encoding": {"x": _time()},
        },
    ]
    return chart | {"layer": layers}


def _count(field: str, title: str) -> dict[str, Any]:
    axis = {"tickMinStep": 1, "tickCount": 5, "format": ",d"}
    return {"field": field, "type": "quantitative", "title": title, "axis": axis}


def _tooltip(value: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"field": "from", "type": "temporal", "format": "%-d %b %H:%M", "title": "from"},
        {"field": "kind", "type": "nominal", "title": " "},
        {"type": "quantitative", **value},
    ]


def _colours(field: str) -> dict[str, Any]:
    legend = {"orient": "bottom", "title": None, "columns": 2}
    return {"field": field, "type": "nominal", "scale": {"range": _SERIES}, "legend": legend}


def _chart(
    values: Sequence[Mapping[str, Any]], mark: dict[str, Any], encoding: dict[str, Any]
) -> dict[str, Any]:
    return {"data": {"values": values}, "mark": mark, "encoding": encoding, "height": 240}
