"""What a chart shows, in one sentence: for those who read faster than they look, or do not see."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard.charts import named
from dashboard.formats import number, shown
from dashboard.layout import Panel

Row = Mapping[str, Any]


def sentence(panel: Panel, rows: Sequence[Row]) -> str:
    """The sentence for a panel's rows, at least one, as HTML; empty for tiles and plain tables."""
    say = {"hours": _hours, "lines": _lines, "bars": _bars, "bands": _bands}.get(panel.chart)
    return say(panel, rows) if say else ""


def _hours(panel: Panel, rows: Sequence[Row]) -> str:
    hour, *split = panel.dimensions
    measure = panel.source.measure(panel.measures[0])
    by_hour: dict[Any, int] = {}
    for row in rows:
        by_hour[row[hour]] = by_hour.get(row[hour], 0) + row[measure.name]
    busiest = max(by_hour, key=lambda each: by_hour[each])
    many = Markup("{} hours; the most, {},").format(
        len(by_hour), number(by_hour[busiest], measure.format)
    )
    text = Markup("{} {} in {} from {}.").format(
        number(sum(by_hour.values()), measure.format),
        measure.label.lower(),
        "the hour" if len(by_hour) == 1 else many,
        shown(busiest, "hour"),
    )
    if not split:
        return text
    kinds: dict[str, int] = {}
    for row in rows:
        kinds[str(row[split[0]])] = kinds.get(str(row[split[0]]), 0) + row[measure.name]
    most = max(kinds, key=lambda each: kinds[each])
    return text + Markup(" Most are {}: {}.").format(most, number(kinds[most], measure.format))


def _lines(panel: Panel, rows: Sequence[Row]) -> str:
    last = rows[-1]
    measures = [panel.source.measure(name) for name in panel.measures]
    parts = [
        f"{measure.label.lower()} {number(last[measure.name], measure.format)}"
        for measure in measures
        if last[measure.name] is not None
    ]
    return Markup("In the latest hour, from {}: {}.").format(
        shown(last[panel.dimensions[0]], "hour"), ", ".join(parts)
    )


def _bars(panel: Panel, rows: Sequence[Row]) -> str:
    measure = panel.source.measure(panel.measures[0])
    total = sum(row[measure.name] for row in rows)
    if not total:
        return Markup("No {}.").format(measure.label.lower())
    top = rows[0]
    return Markup("{} leads with {} of {} {}.").format(
        named(panel, top),
        number(top[measure.name], measure.format),
        number(total, measure.format),
        measure.label.lower(),
    )


def _bands(panel: Panel, rows: Sequence[Row]) -> str:
    measure = panel.source.measure(panel.measures[0])
    total = sum(row[measure.name] for row in rows)
    top = max(rows, key=lambda row: row[measure.name])
    tenth = round(10 * top[panel.dimensions[0]])
    return Markup("The largest group, {} of {} {}, has {} to {} % of the answers right.").format(
        number(top[measure.name], measure.format),
        number(total, measure.format),
        measure.label.lower(),
        10 * tenth,
        10 * tenth + 10,
    )
