"""``load``: rows of a dimension from a file, as the messages that a pull of the same rows makes."""

import contextlib
import csv
import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from gcp.clients import bigquery_client
from gcp.dataset import Dataset
from gcp.runs import Outcome, Run, RunLog, Status
from pipeline import graph, options, preflight
from pipeline.pseudonym.keys import PseudonymKeys
from pipeline.sources.files import FileInput
from pipeline.sources.postgres.mapping import SourceMapping, SourceTable
from pipeline.sources.postgres.messages import (
    DIMENSION_CHANGE,
    FAMILY_ATTRIBUTE,
    RowMapper,
    SourceRow,
)
from schemas import metrics
from schemas.message import Message
from warehouse.errors import RunError, reason

PIPELINE = "dimension_load"


@dataclasses.dataclass(frozen=True)
class DimensionFile:
    """A file with rows of one dimension: a CSV with a header, or an object a line.

    Attributes:
        name: of the dimension's table, ``students``.
        mapping: says which of the file's columns are taken, and which identify a person.
        loaded_at: when its rows hold from, UTC.
    """

    path: Path
    name: str
    mapping: SourceMapping
    loaded_at: dt.datetime

    @property
    def table(self) -> SourceTable:
        """What is taken of the file."""
        return self.mapping.tables[self.name]

    def check(self) -> set[str]:
        """Reads the file, so that it is loaded whole or not at all.

        Returns:
            The columns that are not taken.

        Raises:
            RunError: it cannot be read, or lacks a column.
        """
        found: set[str] = set()
        is_empty = True
        for number, row in self.rows():
            is_empty = False
            required = {*self.table.key, *self.table.columns.values()} - {
                self.table.columns[name] for name in self.table.optional
            }
            if missing := required - row.keys():
                raise RunError(f"{self.path}:{number}: there is no column {min(missing)}")
            found |= row.keys()
        if is_empty:
            raise RunError(f"{self.path}: there are no rows")
        return found - {*self.table.key, *self.table.columns.values()}

    def rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """The number of each line, and its values as text by the file's names of columns.

        Raises:
            RunError: the file cannot be read, or a line makes no sense.
        """
        number = 1
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                if self.path.suffix == ".csv":
                    reader = csv.reader(file, strict=True)
                    header = next(reader, [])
                    for fields in reader:
                        number = reader.line_num
                        if fields:
                            yield number, _csv_row(header, fields)
                else:
                    for number, line in enumerate(file, 1):
                        if line.strip():
                            yield number, _json_row(line)
        except UnicodeDecodeError:
            raise RunError(f"{self.path}: it is not UTF-8 text") from None
        except OSError as error:
            raise RunError(f"{self.path}: {error.strerror}") from None
        except (ValueError, csv.Error) as error:
            raise RunError(f"{self.path}:{number}: {error}") from None

    def messages(self) -> Iterator[Message]:
        """A message of the family dimension_change for each row; of a key's rows the last holds."""
        mapper = RowMapper(self.mapping.tables, frozenset({DIMENSION_CHANGE}))
        source = str(self.path.absolute())
        load = f"load-{self.loaded_at:%Y%m%dT%H%M%S.%f}"
        for number, values in self.rows():
            row = SourceRow(
                table=self.name,
                key=tuple(values[column] or "" for column in self.table.key),
                values={
                    name: values[column]
                    for name, column in self.table.columns.items()
                    if column in values
                },
                transaction=load,
                position=number,
            )
            for event in mapper.events(row, self.loaded_at):
                yield Message(
                    payload=event.payload,
                    message_id=f"{source}@{load}:{number:09}",
                    publish_time=self.loaded_at,
                    source=source,
                    attributes={FAMILY_ATTRIBUTE: event.family},
                )


class ReadDimension(beam.PTransform):
    """The messages of a file."""

    def __init__(self, file: DimensionFile) -> None:
        super().__init__()
        self._file = file

    def expand(self, input_or_inputs: beam.Pipeline) -> beam.PCollection[Message]:
        """Returns the messages."""
        file = self._file
        return (
            input_or_inputs
            | beam.Impulse()
            | "Rows" >> beam.FlatMap(lambda _: file.messages()).with_output_types(Message)
        )


def load(
    file: DimensionFile, dataset: Dataset, env: str | None, pseudonyms: PseudonymKeys | None
) -> Mapping[str, int]:
    """Loads a file that was checked; returns the pipeline's counters.

    Raises:
        RunError: it cannot start.
        gcp.errors.SERVICE_ERRORS: BigQuery did not take it.
    """
    with bigquery_client(dataset.project) as client, _logged(RunLog(client, dataset), env) as done:
        counters = _run(file, dataset, pseudonyms)
        done.append(counters)
    return counters


def _run(
    file: DimensionFile, dataset: Dataset, pseudonyms: PseudonymKeys | None
) -> Mapping[str, int]:
    arguments = ["--input=rows.jsonl", f"--dataset={dataset}", f"--event_family={DIMENSION_CHANGE}"]
    config, beam_options = options.parse(arguments)
    source = FileInput(str(file.path), file.loaded_at)
    config = dataclasses.replace(config, input=source, pseudonyms=pseudonyms)
    try:
        bounds = preflight.check(config)
    except preflight.StartupError as error:
        raise RunError(str(error)) from None
    pipeline = beam.Pipeline(options=beam_options)
    graph.build(pipeline, config, bounds, ReadDimension(file))
    result = pipeline.run()
    result.wait_until_finish()
    return metrics.counters(result.metrics())


@contextlib.contextmanager
def _logged(log: RunLog, env: str | None) -> Iterator[list[Mapping[str, int]]]:
    """Logs a load: as failed, unless the body appends its counters."""
    run = Run(pipeline_name=PIPELINE, env=env)
    done: list[Mapping[str, int]] = []
    log.started(run)
    try:
        yield done
    except Exception as error:
        log.ended(run, Status.FAILED, Outcome(error_message=reason(error)))
        raise
    (counters,) = done
    written, failed = metrics.WRITTEN, metrics.DEAD_LETTERS_WRITTEN
    outcome = Outcome(
        rows_read=counters.get(written, 0) + counters.get(failed, 0),
        rows_written=counters.get(written, 0),
        records_failed=counters.get(failed, 0),
    )
    log.ended(run, Status.SUCCEEDED, outcome)


def _csv_row(header: Sequence[str], fields: Sequence[str]) -> dict[str, str | None]:
    if len(fields) != len(header):
        raise ValueError(f"there are {len(fields)} values under {len(header)} column names")
    return {name: value or None for name, value in zip(header, fields, strict=True)}


def _json_row(line: str) -> dict[str, str | None]:
    try:
        row: Any = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise ValueError("it is not a JSON object")
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str | None:
    """As PostgreSQL writes it, whose rows are text; an empty text is null, as in a CSV."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
