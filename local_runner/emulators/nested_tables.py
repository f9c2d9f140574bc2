"""Nested columns of bqemulator's tables: their names, policy tags, types, and added fields."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from bqemulator.api.dependencies import AppContext, get_context
from bqemulator.api.routes import tables
from bqemulator.catalog import ddl_sync, models
from bqemulator.domain.errors import ValidationError
from bqemulator.jobs import executor
from bqemulator.storage import type_map
from bqemulator.storage.sql_identifiers import quoted_table_ref
from fastapi import Depends, Request
from pydantic.fields import FieldInfo

# Typed as Any, since what is replaced has narrower types than what replaces it.
_tables: Any = tables
_ddl_sync: Any = ddl_sync

_Field = dict[str, Any]  # as in BigQuery's REST API
_NESTED = ("RECORD", "STRUCT")
_SYNONYMS = {"STRUCT": "RECORD", "INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}


def patch() -> None:
    """Changes bqemulator, which must not have started."""
    _quote_nested_names()
    _keep_policy_tags()
    _report_nested_types()
    _change_tables_on_patch()


def _quote_nested_names() -> None:
    """It quotes names of columns only: a nested field could not be called ``order``."""
    original: Callable[[list[_Field]], list[tuple[str, str]]] = type_map.bq_schema_to_duckdb_columns

    def columns(fields: list[_Field]) -> list[tuple[str, str]]:
        return original(
            [
                field | {"fields": [f | {"name": _quoted(f["name"])} for f in field["fields"]]}
                if field.get("fields")
                else field
                for field in fields
            ]
        )

    type_map.bq_schema_to_duckdb_columns = columns  # it calls itself by this name
    _tables.bq_schema_to_duckdb_columns = columns


def _keep_policy_tags() -> None:
    """It forgets them."""
    model: Any = models.TableFieldSchema
    model.model_fields["policy_tags"] = FieldInfo(annotation=tuple[str, ...], default=())
    for changed in (model, models.TableSchema, models.TableMeta):
        changed.model_rebuild(force=True)
    # Both call themselves by name for the nested fields.
    to_rest, parse = _tables._field_to_rest, _tables._parse_schema_fields

    def field_to_rest(field: Any) -> _Field:
        rest: _Field = to_rest(field)
        return rest | ({"policyTags": {"names": [*field.policy_tags]}} if field.policy_tags else {})

    def parse_fields(raw: list[_Field]) -> tuple[Any, ...]:
        tags = [(field.get("policyTags") or {}).get("names", ()) for field in raw]
        return tuple(
            field.model_copy(update={"policy_tags": (*names,)})
            for field, names in zip(parse(raw), tags, strict=True)
        )

    _tables._field_to_rest, _tables._parse_schema_fields = field_to_rest, parse_fields


def _report_nested_types() -> None:
    """It reports a nested JSON as STRING and a nested sum of integers as NUMERIC.

    In tables and views made by SQL, it does so with columns too.
    """
    of_result, of_table = executor._arrow_field_to_schema_entry, _ddl_sync._introspect_schema
    columns: list[tuple[Any, ...]] = []

    def result_field(field: Any) -> _Field:
        entry: _Field = of_result(field)
        stored = (field.metadata or {}).get(b"bqemu.duckdb_type")
        return _with_stored_types(entry, stored.decode()) if stored else entry

    def table_schema(project: str, dataset: str, table: str, ctx: AppContext) -> Any:
        schema = of_table(project, dataset, table, ctx)
        stored = {row[1]: row[2] for row in columns}
        fields = [_tables._field_to_rest(field) for field in schema.fields]
        fields = [_with_stored_types(field, stored[field["name"]]) for field in fields]
        return models.TableSchema(fields=_tables._parse_schema_fields(fields))

    def not_null(reference: str, ctx: AppContext) -> dict[str, bool]:
        # For a view, DuckDB binds its SQL anew at each such question.
        columns[:] = ctx.engine.execute(f"PRAGMA table_info({reference})").fetchall()
        return {row[1]: bool(row[3]) for row in columns}

    executor._arrow_field_to_schema_entry = result_field
    _ddl_sync._column_notnull_map = not_null
    _ddl_sync._introspect_schema = table_schema


def _with_stored_types(field: _Field, duckdb_type: str) -> _Field:
    try:
        stored: _Field = type_map.duckdb_type_to_bq_field(field["name"], duckdb_type)
    except ValidationError:  # a type that BigQuery does not have
        return field
    return _merged_types(field, stored)


def _merged_types(field: _Field, stored: _Field) -> _Field:
    if stored["type"] in ("JSON", "INTEGER"):
        return field | {"type": stored["type"]}
    if field.get("fields") and stored.get("fields"):
        pairs = zip(field["fields"], stored["fields"], strict=True)
        return field | {"fields": [_merged_types(*pair) for pair in pairs]}
    return field


def _change_tables_on_patch() -> None:
    """It changes only what it reports of a table's columns, whatever is asked for."""
    router = _tables.router
    for original in (_tables.patch_table, _tables.update_table):
        (route,) = (route for route in router.routes if route.endpoint is original)
        router.routes.remove(route)
        methods = [*route.methods]
        router.routes.append(type(route)(route.path, _changing(original), methods=methods))


def _changing(original: Any) -> Any:
    async def change_table(
        project_id: str,
        dataset_id: str,
        table_id: str,
        request: Request,
        ctx: Annotated[AppContext, Depends(get_context)],
    ) -> Any:
        present = ctx.catalog.get_table(project_id, dataset_id, table_id)
        schema = (await request.json()).get("schema") or {}
        if present is not None and present.table_type == "TABLE" and schema.get("fields"):
            old = [_tables._field_to_rest(field) for field in present.schema_.fields]
            # The request keeps its parsed body, which the original reads.
            schema["fields"] = new = _with_added(old, schema["fields"])
            table = quoted_table_ref(project_id, dataset_id, table_id)
            async with ctx.engine.write_lock():
                for statement in _alterations(table, old, new):
                    ctx.engine.execute(statement)
        return await original(project_id, dataset_id, table_id, request, ctx)

    return change_table


def _with_added(old: list[_Field], new: list[_Field], path: str = "") -> list[_Field]:
    """The new fields: those that there were in their old order, then the others.

    Raises:
        ValidationError: BigQuery could not make the change in place.
    """
    wanted = {field["name"]: field for field in new}
    kept = []
    for field in old:
        name = path + field["name"]
        if field["name"] not in wanted:
            raise ValidationError(
                f"Provided Schema does not match Table. Field {name} is missing in new schema"
            )
        kept.append(_changed(field, wanted.pop(field["name"]), name))
    for field in wanted.values():
        if field.get("mode") == "REQUIRED":
            raise ValidationError(
                f"Cannot add required fields to an existing schema. (field: {path + field['name']})"
            )
    return kept + list(wanted.values())


def _changed(old: _Field, new: _Field, name: str) -> _Field:
    types = [_SYNONYMS.get(field["type"], field["type"]) for field in (old, new)]
    modes = [field.get("mode") or "NULLABLE" for field in (old, new)]
    for what, (before, after) in (("type", types), ("mode", modes)):
        if before != after and (before, after) != ("REQUIRED", "NULLABLE"):
            raise ValidationError(
                "Provided Schema does not match Table. "
                f"Field {name} has changed {what} from {before} to {after}"
            )
    changed = new | {"policyTags": new.get("policyTags") or old.get("policyTags")}
    if old.get("fields"):
        changed["fields"] = _with_added(old["fields"], new.get("fields", []), f"{name}.")
    return changed


def _alterations(table: str, old: list[_Field], new: list[_Field]) -> Iterator[str]:
    columns = type_map.bq_schema_to_duckdb_columns
    before = dict(columns(old))
    for field, (name, wanted) in zip(new, columns(new), strict=True):
        column = _quoted(name)
        if name not in before:
            default = " DEFAULT []" if field.get("mode") == "REPEATED" else ""
            yield f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {wanted}{default}"
        elif before[name] != wanted:
            yield f"ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {wanted}"
            yield f"UPDATE {table} SET {column} = {_with_arrays(field, column)}"  # noqa: S608


def _with_arrays(field: _Field, value: str, depth: int = 0) -> str:
    """SQL for the same value with empty arrays where there are none: BigQuery has no null ones."""
    if field.get("mode") == "REPEATED":
        element = f"e{depth}"
        each = _with_arrays(field | {"mode": "NULLABLE"}, element, depth + 1)
        return f"list_transform(COALESCE({value}, []), lambda {element}: {each})"
    if field["type"] not in _NESTED:
        return value
    names = [(nested, _quoted(nested["name"])) for nested in field["fields"]]
    packed = (f"{name} := {_with_arrays(n, f'{value}.{name}', depth)}" for n, name in names)
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(packed)}) END"


def _quoted(name: str) -> str:
    return f'"{name}"'
