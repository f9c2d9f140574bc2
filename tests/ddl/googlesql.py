"""Google's own SQL analyzer and reference engine (zetasql): a second opinion beside bqemulator."""

import base64
import dataclasses
import datetime as dt
import decimal
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter
from google.protobuf.timestamp_pb2 import Timestamp
from zetasql.api import Analyzer, CatalogBuilder, PreparedQuery, TableBuilder
from zetasql.types import (
    AnalyzerOptions,
    ArrayType,
    FunctionEnums,
    LanguageFeature,
    LanguageOptions,
    Parameter,
    ProductMode,
    TableContent,
    TableData,
    TableValuedFunction,
    Type,
    TypeKind,
    Value,
    ZetaSQLBuiltinFunctionOptions,
)

from ddl.statements import Query

AnyParameter = ScalarQueryParameter | ArrayQueryParameter
_EPOCH = dt.date(1970, 1, 1)
_QUOTED = re.compile("`([^`]+)`")
_READ = re.compile(
    r"`[^`]*\.(?P<name>\w+)`"
    r"(?:\((?P<first>@?first_date|DATE '.*?'), (?P<last>@?last_date|DATE '.*?')\))?"
)


class GoogleSql:
    """A catalog that learns tables and table functions from their own DDL."""

    def __init__(self) -> None:
        language = LanguageOptions.maximum_features()
        language.product_mode = ProductMode.PRODUCT_EXTERNAL
        # BigQuery has it; zetasql counts it as unfinished.
        language.enabled_language_features.append(
            LanguageFeature.FEATURE_CREATE_VIEWS_WITH_COLUMN_OPTIONS
        )
        self._options = AnalyzerOptions(language_options=language)
        self._builtins = (
            CatalogBuilder("warehouse")
            .with_builtin_functions(ZetaSQLBuiltinFunctionOptions(language_options=language))
            .build()
        )
        self._tables: dict[str, Any] = {}
        self._functions: dict[str, TableValuedFunction] = {}
        self._columns: dict[str, list[tuple[str, Any]]] = {}
        self._bodies: dict[str, str] = {}

    def analyze(self, sql: str) -> Any:
        """The resolved statement. Raises what zetasql raises for SQL that is wrong."""
        return Analyzer.analyze_statement_static(sql, self._options, self._catalog(sql))

    def _catalog(self, sql: str) -> Any:
        """What a statement names: the whole catalog would be handed over with each anew."""
        names = sorted(set(_QUOTED.findall(sql)))
        return dataclasses.replace(
            self._builtins,
            table=[self._tables[name] for name in names if name in self._tables],
            custom_tvf=[self._functions[name] for name in names if name in self._functions],
        )

    def create_table(self, sql: str) -> Any:
        statement = self.analyze(sql)
        (name,) = statement.name_path
        self._columns[name] = [(c.name, c.type) for c in statement.column_definition_list]
        table = TableBuilder(name)
        for column, kind in self._columns[name]:
            table.add_column(column, kind)
        self._tables[name] = table.build()
        return statement

    def create(self, query: Query) -> Any:
        statement = self.analyze(query.sql)
        self._bodies[query.name] = query.body
        (name,) = statement.name_path
        if query.kind == "VIEW":
            view = TableBuilder(name)
            for column in statement.output_column_list:
                view.add_column(column.name, column.column.type)
            self._tables[name] = view.build()
        else:
            # The analyzer hands back -1 ("not called yet") and will not take it in again.
            for argument in statement.signature.argument:
                argument.num_occurrences = 1
                argument.options.min_value = argument.options.max_value = None
            self._functions[name] = TableValuedFunction(
                name_path=[name],
                signature=statement.signature,
                type=FunctionEnums.TableValuedFunctionType.FIXED_OUTPUT_SCHEMA_TVF,
            )
        return statement

    def run(
        self,
        sql: str,
        tables: dict[str, list[dict[str, Any]]],
        parameters: Sequence[AnyParameter] = (),
    ) -> list[dict[str, Any]]:
        """Runs a query over ``tables`` (by full name; those left out are empty).

        Returns:
            The rows in JSON's types.
        """
        (rows,) = self.run_all([sql], tables, parameters)
        return rows

    def run_all(
        self,
        queries: Sequence[str],
        tables: dict[str, list[dict[str, Any]]],
        parameters: Sequence[AnyParameter] = (),
    ) -> list[list[dict[str, Any]]]:
        """Runs queries as one: what several read is analyzed once, which is most of the time."""
        # As JSON, since zetasql 0.1.5 loses timestamps on their way out.
        arrays = (f"ARRAY(SELECT TO_JSON_STRING(line) FROM ({sql}) AS line)" for sql in queries)
        as_json = self.inline(f"SELECT {', '.join(arrays)}")
        catalog = self._catalog(as_json)
        read = {table.name for table in catalog.table}
        converted = [_parameter(parameter) for parameter in parameters]
        content = {
            name: TableContent(
                table_data=TableData(
                    row=[
                        TableData.Row(
                            cell=[_cell(kind, row.get(column)) for column, kind in columns]
                        )
                        for row in tables.get(name, [])
                    ]
                )
            )
            for name, columns in self._columns.items()
            if name in read
        }
        options = dataclasses.replace(
            self._options,
            query_parameters=[
                AnalyzerOptions.QueryParameter(name=name, type=kind) for name, kind, _ in converted
            ],
        )
        builder = PreparedQuery.builder().set_sql(as_json).set_catalog(catalog)
        builder.set_analyzer_options(options).set_table_content(content)
        values = [Parameter(name=name, value=value) for name, _, value in converted]
        with builder.prepare() as query:
            (row,) = query.execute(values).content.table_data.row
        return [
            [json.loads(line.string_value) for line in cell.array_value.element]
            if cell.array_value  # None, if empty
            else []
            for cell in row.cell
        ]

    def inline(self, sql: str) -> str:
        """Gives the query its views and functions as a WITH clause: the engine knows none."""
        names: dict[str, str] = {}

        def name(read: re.Match[str]) -> str:
            if read["name"] not in self._bodies:
                return read[0]
            text = self._bodies[read["name"]]
            if read["first"]:
                text = re.sub(r"\bfirst_date\b", read["first"], text)
                text = re.sub(r"\blast_date\b", read["last"], text)
            text = _READ.sub(name, text)  # what it reads stands before it
            return names.setdefault(text, f"inlined_{len(names)}")

        query = _READ.sub(name, sql)
        clause = ", ".join(f"{name} AS ({text})" for text, name in names.items())
        return f"WITH {clause} ({query})" if clause else query


def declared_columns(statement: Any) -> list[tuple[str, ...]]:
    """(path, type, mode, description) of each column of CREATE TABLE, and of each nested field."""
    columns = statement.column_definition_list
    return [row for c in columns for row in _declared("", c.name, c.type, c.annotations)]


def _declared(inside: str, name: str, kind: Any, notes: Any) -> Iterator[tuple[str, ...]]:
    mode, children = "REQUIRED" if notes.not_null else "NULLABLE", notes.child_list
    (text,) = (option.value.value.value.string_value for option in notes.option_list)
    if kind.type_kind == TypeKind.TYPE_ARRAY:
        mode, kind = "REPEATED", kind.array_type.element_type
        children = children[0].child_list if children else []
    if kind.type_kind != TypeKind.TYPE_STRUCT:
        yield f"{inside}{name}", str(kind).replace("DOUBLE", "FLOAT64"), mode, text
        return
    yield f"{inside}{name}", "STRUCT", mode, text
    for field, child in zip(kind.struct_type.field, children, strict=True):
        yield from _declared(f"{inside}{name}.", field.field_name, field.field_type, child)


def _parameter(parameter: AnyParameter) -> tuple[str, Type, Value]:
    """Name, type and value of a parameter as BigQuery's client takes it."""
    if isinstance(parameter, ArrayQueryParameter):
        kind = Type(type_kind=getattr(TypeKind, f"TYPE_{parameter.array_type}"))
        array = Type(type_kind=TypeKind.TYPE_ARRAY, array_type=ArrayType(element_type=kind))
        cells = [_cell(kind, value) for value in parameter.values]
        return parameter.name, array, Value(array_value=Value.Array(element=cells))
    kind = Type(type_kind=getattr(TypeKind, f"TYPE_{parameter.type_}"))
    value = parameter.value
    text = value.isoformat() if isinstance(value, dt.date) else value
    return parameter.name, kind, _cell(kind, text)


def _cell(kind: Any, value: Any) -> Value:
    if value is None:
        return Value()
    match kind.type_kind:
        case TypeKind.TYPE_STRING:
            return Value(string_value=value)
        case TypeKind.TYPE_BYTES:
            return Value(bytes_value=base64.b64decode(value))
        case TypeKind.TYPE_INT64:
            return Value(int64_value=value)
        case TypeKind.TYPE_BOOL:
            return Value(bool_value=value)
        case TypeKind.TYPE_DOUBLE:
            return Value(double_value=value)
        case TypeKind.TYPE_DATE:
            return Value(date_value=(dt.date.fromisoformat(value) - _EPOCH).days)
        case TypeKind.TYPE_TIMESTAMP:
            timestamp = Timestamp()
            timestamp.FromJsonString(value)
            return Value(timestamp_value=timestamp)
        case TypeKind.TYPE_JSON:
            return Value(json_value=json.dumps(value))
        case TypeKind.TYPE_NUMERIC:
            scaled = int(decimal.Decimal(value).scaleb(9, decimal.Context(prec=38)))
            size = scaled.bit_length() // 8 + 1
            return Value(numeric_value=scaled.to_bytes(size, "little", signed=True))
        case TypeKind.TYPE_ARRAY:
            items = [_cell(kind.array_type.element_type, item) for item in value]
            return Value(array_value=Value.Array(element=items))
        case TypeKind.TYPE_STRUCT:
            fields = kind.struct_type.field
            cells = [_cell(field.field_type, value.get(field.field_name)) for field in fields]
            return Value(struct_value=Value.Struct(field=cells))
    raise ValueError(f"no rows with a column of {kind}")
