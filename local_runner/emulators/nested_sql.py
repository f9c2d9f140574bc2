"""GoogleSQL on nested columns and NUMERIC that bqemulator does not translate."""

from typing import Any

from bqemulator.sql.rewriter import struct_helpers, unnest_offset
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

_POSITIONAL = (exp.Insert, exp.Merge, exp.Update)


def patch() -> None:
    """Changes bqemulator, which must not have started."""
    structs: Any = struct_helpers
    offsets: Any = unnest_offset
    rewrite_structs = structs._rewrite_positional_structs
    rebase_offsets = offsets._rebase_offset_columns

    def rewrite(tree: exp.Expression) -> bool:
        changed = [_name_struct_fields(tree), _drop_nested_not_null(tree), rewrite_structs(tree)]
        return any(changed)

    def rebase(tree: exp.Expression, names: set[str]) -> bool:
        _name_offsets(tree, names)
        return bool(rebase_offsets(tree, names))

    _widen_numeric()
    structs._rewrite_positional_structs = rewrite
    offsets._rebase_offset_columns = rebase


def _name_struct_fields(tree: exp.Expression) -> bool:
    """``STRUCT(a, t.b)`` has the fields a and b. Rows to be written go by position instead."""
    if isinstance(tree, _POSITIONAL):
        return False
    named = False
    for struct in tree.find_all(exp.Struct):
        values = struct.expressions
        names = {value.name.lower() for value in values if isinstance(value, exp.Column | exp.Dot)}
        if values and len(names) == len(values):  # DuckDB takes no name twice
            fields = [
                exp.PropertyEQ(this=exp.to_identifier(value.name), expression=value.copy())
                for value in values
            ]
            struct.set("expressions", fields)
            named = True
    return named


def _drop_nested_not_null(tree: exp.Expression) -> bool:
    """DuckDB has NOT NULL for columns only: a nested field is then reported as NULLABLE."""
    dropped = False
    for field in tree.find_all(exp.ColumnDef):
        constraints = field.args.get("constraints") or []
        kept = [c for c in constraints if not isinstance(c.kind, exp.NotNullColumnConstraint)]
        if isinstance(field.parent, exp.DataType) and len(kept) < len(constraints):
            field.set("constraints", kept)
            dropped = True
    return dropped


def _widen_numeric() -> None:
    """DuckDB's DECIMAL has three digits after the point, BigQuery's NUMERIC nine."""
    generator: Any = DuckDB.Generator
    datatype_sql = generator.datatype_sql

    def wide(self: Any, expression: exp.DataType) -> str:
        if expression.is_type(exp.DataType.Type.DECIMAL) and not expression.expressions:
            return "DECIMAL(38, 9)"
        return str(datatype_sql(self, expression))

    generator.datatype_sql = wide


def _name_offsets(tree: exp.Expression, names: set[str]) -> None:
    """``SELECT o``, o being an offset, becomes an expression, and would lose its name."""
    for select in tree.find_all(exp.Select):
        for column in select.expressions:
            if isinstance(column, exp.Column) and column.name in names:
                column.replace(exp.alias_(column.copy(), column.name))
