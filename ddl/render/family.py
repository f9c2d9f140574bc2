"""Renders the SQL files of a derived family from its contract.

They are checked in, so that they can be read and reviewed; a test fails where one is stale.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ddl.render import checks
from ddl.render.sql import column_name, fill, indented, literal
from schemas.contract import Field, FieldKind
from schemas.envelope import ENVELOPE
from schemas.family import EventFamily

COMMAND = "python -m ddl render"

_ROOT = Path(__file__).parents[1]
_LABELS = {"managed_by": "exam-events", "table_type": "fact"}
# The arguments of the table functions: BigQuery would take the name for the column.
_ARGUMENTS = frozenset({"first_date", "last_date"})


def rendered(family: EventFamily) -> Mapping[str, str]:
    """The text of each file by its path below ``ddl/``.

    Raises:
        ValueError: a column would have the name of another, or of a table function's argument.
    """
    names = [name for name, _ in _columns(family)]
    for name in names:
        if name in _ARGUMENTS or names.count(name) > 1:
            raise ValueError(
                f"{family.name}: the column {name} needs another name: give it one in renamed"
            )
    pieces = {
        "notice": f"-- Rendered from schemas/{family.name}/{family.contract_file} by {COMMAND}: "
        "do not edit.",
        "family": family.name,
        "table": family.table,
        "view": family.view,
        "partition_time": _partition_time(family),
        "event_type": column_name(family.column("event_type")),
        "ingest_ts": column_name(family.column("ingest_ts")),
    }
    texts = {
        f"tables/{family.table}.sql": fill("table", **pieces, **_table(family)),
        f"views/{family.view}.sql": fill("view", **pieces, **_view(family)),
        f"views/{family.view}_conflicts.sql": fill("conflicts", **pieces, **_conflicts(family)),
    }
    for name, text in checks.texts(family, pieces):
        texts[f"checks/{family.view}_{name}.sql"] = text
    return {f"{family.name}/{path}": text for path, text in texts.items()}


def stale(family: EventFamily, root: Path = _ROOT) -> list[str]:
    """The paths below ``ddl/`` whose files differ from the rendering or do not exist."""
    return list(_stale(family, root))


def write(family: EventFamily, root: Path = _ROOT) -> list[str]:
    """Writes the stale files; returns their paths below ``ddl/``."""
    texts = _stale(family, root)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return list(texts)


def _stale(family: EventFamily, root: Path) -> dict[str, str]:
    return {path: text for path, text in rendered(family).items() if _read(root / path) != text}


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _columns(family: EventFamily) -> Iterator[tuple[str, str]]:
    """Name and description of each column of the fact table."""
    for field in family.contract.fields:
        yield family.column(field.name), field.doc
    for name, column in ENVELOPE.items():
        yield family.column(name), column.description.format(partition_time=_partition_time(family))


def _partition_time(family: EventFamily) -> str:
    """The field whose date is the partition."""
    return family.event_time or "publish_ts"


def _table(family: EventFamily) -> Mapping[str, str]:
    descriptions = dict(_columns(family))
    columns = []
    for field in family.contract.fields:
        # An event without an id gets one before it becomes a row.
        required = field.name == "event_id" or not (field.nullable or field.repeated)
        columns.append((family.column(field.name), _type(field), required))
    for name, column in ENVELOPE.items():
        columns.append((family.column(name), str(column.kind), column.required))
    options = [f"description = {literal(family.contract.doc)}"]
    if family.retention_days is not None:
        options.append(f"partition_expiration_days = {family.retention_days}")
    labels = ", ".join(f'("{key}", "{value}")' for key, value in _LABELS.items())
    options.append(f"labels = [{labels}]")
    cluster_by = f"CLUSTER BY {', '.join(map(column_name, family.clustering))}\n"
    return {
        "columns": indented(
            _declaration(name, f"{kind} NOT NULL" if required else kind, descriptions[name])
            for name, kind, required in columns
        ),
        "cluster_by": cluster_by if family.clustering else "",
        "options": indented(options),
    }


def _declaration(name: str, kind: str, description: str) -> str:
    return f"{column_name(name)} {kind} OPTIONS (description = {literal(description)})"


def _type(field: Field) -> str:
    kind = str(field.kind)
    if field.kind is FieldKind.STRUCT:
        inner = indented(_declaration(f.name, _type(f), f.doc) for f in field.fields)
        kind = f"STRUCT<\n{inner}\n>"
    return f"ARRAY<{kind}>" if field.repeated else kind


def _view(family: EventFamily) -> Mapping[str, str]:
    """The columns of the table under the contract's names, as far as no other column has them."""
    descriptions = dict(_columns(family))
    own_names = {
        family.column(field.name): field.name
        for field in family.contract.fields
        if field.name not in descriptions
    }
    outputs, columns = [], []
    hidden = {family.column(name) for name in family.not_in_views}
    for name, description in descriptions.items():
        if name in hidden:
            continue
        output, shown = column_name(name), column_name(name)
        if name in own_names:
            shown = column_name(own_names[name])
            output = f"{output} AS {shown}"
            shown = f"{shown} OPTIONS (description = {literal(description)})"
        outputs.append(output)
        columns.append(shown)
    # Copies of an event have one event time, but may be published on several days.
    keys = ("event_date", "event_id") if family.event_time else ("event_id",)
    notes = {
        True: "Copies of an event have one event_date, so that a filter on it prunes.",
        False: "Copies that were published on other dates are not seen.",
    }
    return {
        "outputs": indented(outputs),
        "columns": indented(columns),
        "keys": ", ".join(keys),
        "note": notes[family.event_time is not None],
    }


def _conflicts(family: EventFamily) -> Mapping[str, str]:
    hidden = {"event_id", *family.not_in_views}
    compared = [f.name for f in family.contract.fields if f.name not in hidden] + ["extra"]
    columns = {name: column_name(family.column(name)) for name in compared}
    differing = [
        f"IF(COUNT(DISTINCT TO_JSON_STRING(STRUCT({column}))) > 1, '{name}', NULL)"
        for name, column in columns.items()
    ]
    return {"differing": indented(differing, 8)}
