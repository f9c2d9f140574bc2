"""The model as a draft of the open semantic interchange (Apache Ossie, formerly OSI).

https://github.com/apache/ossie, version 0.2.0.dev0 of its core specification.
"""

from typing import Any

import msgspec

from dashboard.semantic.model import Dimension, Format, Measure, Model, Table, models
from schemas.dates import EARLIEST_DATE, LATEST_DATE

_VERSION = "0.2.0.dev0"
_TYPES: dict[Format, str] = {
    "text": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "decimal": "Decimal",
    "percent": "Float",
    "seconds": "Float",
    "hour": "DateTimeTz",
    "timestamp": "DateTimeTz",
    "date": "Date",
}


def files() -> dict[str, str]:
    """The file: a semantic model for each of ours."""
    document = {
        "version": _VERSION,
        "semantic_model": [_model(name, model) for name, model in models().items()],
    }
    return {"ossie.yaml": msgspec.yaml.encode(document).decode()}


def _model(name: str, model: Model) -> dict[str, Any]:
    ours = {table.name for table in model.tables}
    return {
        "name": name,
        "datasets": [_dataset(table) for table in model.tables],
        "relationships": [
            {
                "name": f"{table.name}_to_{join.table}",
                "from": table.name,
                "to": join.table,
                "from_columns": list(join.columns),
                "to_columns": list(join.columns),
            }
            for table in model.tables
            for join in table.joins
            if join.table in ours
        ],
    }


def _dataset(table: Table) -> dict[str, Any]:
    warnings = [f"Never join with {other}: {why}" for other, why in table.never_join.items()]
    return {
        "name": table.name,
        "source": _source(table),
        "primary_key": list(table.grain),
        "description": table.description,
        "ai_context": {"instructions": " ".join(warnings)},
        "fields": [_part(each, each.expression) for each in table.dimensions],
        "metrics": [_part(each, each.sql) for each in table.measures],
    }


def _source(table: Table) -> str:
    """A query over all dates: a reference to a table function would have no arguments."""
    dates = f"(DATE '{EARLIEST_DATE}', DATE '{LATEST_DATE}')" if table.dates == "arguments" else ""
    where = f" WHERE {table.where}" if table.where else ""
    return f"SELECT * FROM `PROJECT.DATASET.{table.source}`{dates}{where}"  # noqa: S608


def _part(part: Dimension | Measure, sql: str) -> dict[str, Any]:
    expression = {"dialects": [{"dialect": "BIGQUERY", "expression": sql}]}
    found = {"name": part.name, "expression": expression, "description": part.description}
    label = {"label": part.label} if isinstance(part, Dimension) else {}
    return found | label | {"datatype": _TYPES[part.format]}
