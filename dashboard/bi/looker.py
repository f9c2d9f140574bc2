"""The model as LookML: a view and an explore for each table.

An explore has one table. What may be joined is in the model, but a measure there is an aggregate
over one table's rows, which a join would repeat.
"""

import json

from dashboard.semantic.model import Dimension, Format, Measure, Table, models
from schemas.dates import EARLIEST_DATE

_TYPES: dict[Format, str] = {
    "text": "string",
    "boolean": "yesno",
    "hour": "date_hour",
    "timestamp": "date_time",
    "date": "date",
}
_FORMATS: dict[Format, str] = {
    "percent": "percent_1",
    "integer": "decimal_0",
    "decimal": "decimal_2",
}
_FIRST = "DATE({% date_start dates %})"
_LAST = "DATE_SUB(DATE({% date_end dates %}), INTERVAL 1 DAY)"


def files() -> dict[str, str]:
    """The manifest, a model for each of ours, and the views."""
    found = {"looker/manifest.lkml": _MANIFEST}
    for name, model in models().items():
        explores = "\n".join(_explore(table) for table in model.tables)
        includes = "".join(f'include: "{table.name}.view.lkml"\n' for table in model.tables)
        found[f"looker/{name}.model.lkml"] = (
            f'connection: "@{{connection}}"\n{includes}\n{explores}'
        )
        found |= {f"looker/{table.name}.view.lkml": _view(table) for table in model.tables}
    return found


_MANIFEST = """\
constant: connection { value: "bigquery" export: override_required }
constant: project { value: "PROJECT" export: override_required }
constant: dataset { value: "DATASET" export: override_required }
"""


def _explore(table: Table) -> str:
    warnings = "".join(
        f"  # Never join with {other}: {why}\n" for other, why in table.never_join.items()
    )
    return (
        f"explore: {table.name} {{\n{warnings}"
        f"  description: {json.dumps(table.description, ensure_ascii=False)}\n"
        f'  always_filter: {{ filters: [{table.name}.dates: "7 days"] }}\n}}\n'
    )


def _view(table: Table) -> str:
    source = f"`@{{project}}.@{{dataset}}.{table.source}`"
    conditions = [table.where] if table.where else []
    first = f"DATE '{EARLIEST_DATE}'" if table.cumulative else _FIRST
    if table.dates == "arguments":
        source += f"(\n        {first},\n        {_LAST})"
    else:
        conditions.insert(0, f"{table.dates} BETWEEN {first}\n        AND {_LAST}")
    where = f"\n      WHERE {' AND '.join(conditions)}" if conditions else ""
    parts = [_dimension(each) for each in table.dimensions]
    parts += [_measure(each) for each in table.measures]
    query = f"SELECT * FROM {source}{where}"  # noqa: S608
    return (
        f"view: {table.name} {{\n  derived_table: {{\n    sql:\n      {query} ;;\n  }}\n\n"
        '  filter: dates { type: date default_value: "7 days" description: "UTC dates." }\n\n'
        + "\n".join(parts)
        + "}\n"
    )


def _dimension(part: Dimension) -> str:
    expression = part.sql or f"${{TABLE}}.{part.name}"
    return _field("dimension", part, _TYPES.get(part.format, "number"), expression)


def _measure(part: Measure) -> str:
    # LookML's measures have no type for a timestamp.
    text = part.format in ("text", "timestamp")
    return _field("measure", part, "string" if text else "number", part.sql)


def _field(kind: str, part: Dimension | Measure, type_: str, expression: str) -> str:
    shown = _FORMATS.get(part.format)
    value_format = f"    value_format_name: {shown}\n" if shown else ""
    return (
        f"  {kind}: {part.name} {{\n    type: {type_}\n    label: {json.dumps(part.label)}\n"
        f"    description: {json.dumps(part.description, ensure_ascii=False)}\n{value_format}"
        f"    sql: {expression} ;;\n  }}\n"
    )
