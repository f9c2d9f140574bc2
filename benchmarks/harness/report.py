"""The figures as a table on the console, as JSON and as a chart."""

import json
from collections.abc import Sequence
from pathlib import Path

import altair
import vl_convert

from benchmarks.harness.measure import Figure

_REACHED, _MISSED, _TARGET = "#2a9d8f", "#c1440e", "#33415c"
_LONGEST = 4.0


def table(figures: Sequence[Figure]) -> str:
    """One line per figure."""
    lines = [f"{'figure':<28}{'measured':>14}    {'target':<15}{'':8}of what"]
    for figure in figures:
        verdict = {True: "reached", False: "missed", None: ""}[figure.reached]
        value = f"{figure.value:,.3g}" if figure.value < 1000 else f"{figure.value:,.0f}"
        lines.append(
            f"{figure.key:<28}{value:>10} {figure.unit:<6}{figure.target:<15}{verdict:<8} "
            f"{figure.description}"
        )
    return "\n".join(lines)


def write(figures: Sequence[Figure], folder: Path) -> None:
    """Writes ``benchmarks.json`` (key to value), and ``benchmarks.png`` of those with a target."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {figure.key: figure.value for figure in figures}
    (folder / "benchmarks.json").write_text(json.dumps(values, indent=2) + "\n")
    aimed = [figure for figure in figures if figure.reached is not None]
    if aimed:
        (folder / "benchmarks.png").write_bytes(_chart(aimed))


def _chart(figures: Sequence[Figure]) -> bytes:
    """Bars of each figure as a share of its target: short of the line is good, past it is not."""
    values = [
        {
            "key": figure.key,
            "share": min(_share(figure), _LONGEST),
            "label": f"{figure.value:.3g} ({figure.target})",
            "reached": "reached" if figure.reached else "missed",
        }
        for figure in figures
    ]
    base = altair.Chart(altair.InlineData(values=values)).encode(
        y=altair.Y("key:N", sort=None, title=None),
        x=altair.X("share:Q", title="of what the target allows", axis=altair.Axis(format="%")),
    )
    colours = altair.Scale(domain=["reached", "missed"], range=[_REACHED, _MISSED])
    bars = base.mark_bar(height=16, cornerRadiusEnd=3).encode(
        color=altair.Color("reached:N", scale=colours, legend=None)
    )
    labels = base.mark_text(align="left", dx=6).encode(text="label:N")
    line = altair.Chart(altair.InlineData(values=[{"share": 1}])).mark_rule(
        color=_TARGET, strokeDash=[4, 3]
    )
    layered = (bars + labels + line.encode(x="share:Q")).properties(
        width=640, height={"step": 26}, title="Measured, as a share of what the target allows"
    )
    styled = layered.configure(background="white").configure_view(stroke=None)
    styled = styled.configure_axis(grid=False, labelFontSize=12, labelLimit=260)
    png: bytes = vl_convert.vegalite_to_png(styled.to_json(), scale=2)
    return png


def _share(figure: Figure) -> float:
    """1 just meets the target, less is better."""
    if figure.at_most is not None:
        return figure.value / figure.at_most
    return (figure.at_least or 0.0) / figure.value
