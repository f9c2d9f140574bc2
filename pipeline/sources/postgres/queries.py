"""The SQL of a pull: its rows, and where ranges of them end."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from pipeline.sources.postgres.mapping import SourceTable

# Frozen rows keep a raw xmin, whose age turns negative.
SINCE = SQL("age(t.xmin) BETWEEN 0 AND age(({since}::bigint & 4294967295)::text::xid)")
_COMMITTED = SQL("CASE WHEN age(t.xmin) >= 0 THEN pg_xact_commit_timestamp(t.xmin) END")
_EVENT_TIME = {
    "answers": ("timestamp",),
    "submissions": ("submit_time",),
    "sessions": ("start_time", "expiry_time"),
}


@dataclasses.dataclass(frozen=True)
class FoundTable:
    """A table as the database has it.

    Attributes:
        table: with those columns only that exist.
        key_types: the SQL types of the key's columns.
        naive: our names of columns that hold times without a time zone.
    """

    table: SourceTable
    key_types: tuple[str, ...]
    naive: frozenset[str]

    @property
    def identifier(self) -> Identifier:
        """Its name in SQL."""
        return Identifier(*self.table.name.split("."))


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which rows a pull reads; all where nothing is set.

    Attributes:
        since: those written by this transaction or later ones.
        start: those of events at this time or later.
        end: those of events before this time.
    """

    since: int | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Queries:
    """Makes the statements of a pull.

    Attributes:
        tables: all of the mapping, by their documented names.
        time_zone: of times without one.
        commit_times: whether the database tracks them.
    """

    tables: Mapping[str, FoundTable]
    time_zone: str | None
    commit_times: bool

    def cuts(self, name: str, selection: Selection, rows_per_range: int) -> Composed:
        """The last key of each range of this many selected rows; the rest is one range more."""
        return SQL(
            "SELECT {names} FROM (SELECT {keys}, row_number() OVER (ORDER BY {keys}) AS number "
            "FROM {table} AS t WHERE {selected}) AS numbered "
            "WHERE number % {rows} = 0 ORDER BY number"
        ).format(
            names=_listed([Identifier(column) for column in self.tables[name].table.key]),
            keys=self._keys(name),
            table=self.tables[name].identifier,
            selected=self._selected(name, selection),
            rows=Literal(rows_per_range),
        )

    def rows(
        self,
        name: str,
        selection: Selection,
        after: Sequence[str] | None = None,
        up_to: Sequence[str] | None = None,
    ) -> Composed:
        """The selected rows of a range, in the order of their keys.

        The columns are those of the key, xmin, the commit time, the mapped ones, and those of
        ``joined_columns``.
        """
        found = self.tables[name]
        conditions = [self._selected(name, selection)]
        conditions += [self._bound(name, ">", after)] if after else []
        conditions += [self._bound(name, "<=", up_to)] if up_to else []
        own = [_of("t", column) for column in found.table.columns.values()]
        joined, joins = self._joined(name)
        return SQL(
            "SELECT {distinct} {columns} FROM {table} AS t {joins} WHERE {conditions} "
            "ORDER BY {keys} {latest}"
        ).format(
            distinct=SQL("DISTINCT ON ({})").format(self._keys(name))
            if name == "submissions"
            else SQL(""),
            columns=_listed(
                [
                    self._keys(name),
                    SQL("t.xmin"),
                    _COMMITTED if self.commit_times else SQL("NULL"),
                    *own,
                    *joined,
                ]
            ),
            table=found.identifier,
            joins=joins,
            conditions=SQL(" AND ").join(conditions),
            keys=self._keys(name),
            latest=self._latest_answer() if name == "submissions" else SQL(""),
        )

    def joined_of(self, name: str, rows: str) -> Composed:
        """``joined_columns`` of rows that a JSON array has, one row each in its order."""
        joined, joins = self._joined(name)
        return SQL(
            "SELECT DISTINCT ON (t.ordinality) {joined} FROM {given} AS t {joins} "
            "ORDER BY t.ordinality {latest}"
        ).format(
            joined=_listed(joined),
            given=self._given(name, rows),
            joins=joins,
            latest=self._latest_answer() if name == "submissions" else SQL(""),
        )

    def stored(self, name: str, rows: str) -> Composed:
        """The mapped columns of the rows with the keys that a JSON array has.

        The first column is the number of the key, from 1; of a row that is gone there is none.
        """
        table = self.tables[name].table
        return SQL(
            "SELECT g.ordinality, {columns} FROM {given} AS g JOIN {table} AS t ON {same}"
        ).format(
            columns=_listed([_of("t", column) for column in table.columns.values()]),
            given=self._given(name, rows),
            table=self.tables[name].identifier,
            same=SQL(" AND ").join(
                SQL("{} = {}").format(_of("t", key), _of("g", key)) for key in table.key
            ),
        )

    def _given(self, name: str, rows: str) -> Composable:
        """Rows of a JSON array of objects, with the types of the table."""
        return SQL(
            "ROWS FROM (json_populate_recordset(CAST(NULL AS {}), {})) WITH ORDINALITY"
        ).format(self.tables[name].identifier, Literal(rows))

    def keys(self, name: str) -> Composed:
        """The keys of all rows."""
        return SQL("SELECT {} FROM {} AS t").format(self._keys(name), self.tables[name].identifier)

    def _keys(self, name: str) -> Composable:
        return _listed([_of("t", column) for column in self.tables[name].table.key])

    def _bound(self, name: str, operator: str, key: Sequence[str]) -> Composable:
        types = self.tables[name].key_types
        given = [
            SQL("CAST({} AS {})").format(Literal(text), SQL(sql_type))
            for text, sql_type in zip(key, types, strict=True)
        ]
        return SQL("({}) {} ({})").format(
            self._keys(name),
            SQL(operator),
            _listed(given),
        )

    def _selected(self, name: str, selection: Selection) -> Composable:
        conditions: list[Composable] = []
        if selection.since is not None:
            conditions.append(SINCE.format(since=Literal(selection.since)))
        for operator, bound in ((">=", selection.start), ("<", selection.end)):
            if bound is not None:
                time = self._time("t", name, self._event_time(name))
                limit = Literal(bound.isoformat())
                comparison = SQL("{} {} CAST({} AS timestamptz)")
                conditions.append(comparison.format(time, SQL(operator), limit))
        return SQL(" AND ").join(conditions) if conditions else SQL("true")

    def _event_time(self, name: str) -> str:
        columns = self.tables[name].table.columns
        return next(column for column in _EVENT_TIME[name] if column in columns)

    def _time(self, alias: str, name: str, column: str) -> Composable:
        """A time with its zone, so that times of two tables compare."""
        found = self.tables[name]
        plain = _of(alias, found.table.columns[column])
        if column in found.naive and self.time_zone is not None:
            return SQL("({} AT TIME ZONE {})").format(plain, Literal(self.time_zone))
        return plain

    def _joined(self, name: str) -> tuple[list[Composable], Composable]:
        """The columns of other tables that a row's message needs, and the joins to them."""
        if name not in ("answers", "submissions"):
            return [], SQL("")
        answers = self.tables["answers"].table.columns
        sessions = self.tables["sessions"]
        expiry = _of("s", sessions.table.columns["expiry_time"])
        if name == "answers":
            questions = self.tables["questions"]
            return [_of("q", questions.table.columns["correct_option"]), expiry], SQL(
                "LEFT JOIN {questions} AS q ON q.{question} = t.{answered} "
                "LEFT JOIN {sessions} AS s ON s.{session} = t.{within}"
            ).format(
                questions=questions.identifier,
                question=Identifier(questions.table.key[0]),
                answered=Identifier(answers["question_id"]),
                sessions=sessions.identifier,
                session=Identifier(sessions.table.key[0]),
                within=Identifier(answers["session_id"]),
            )
        own = self.tables["submissions"].table.columns
        return [_of("a", answers["session_id"]), expiry], SQL(
            "LEFT JOIN {answers} AS a ON a.{student} = t.{by} AND a.{test} = t.{of} "
            "AND {answered} <= {submitted} LEFT JOIN {sessions} AS s ON s.{session} = a.{within}"
        ).format(
            answers=self.tables["answers"].identifier,
            student=Identifier(answers["student_id"]),
            by=Identifier(own["student_id"]),
            test=Identifier(answers["test_id"]),
            of=Identifier(own["test_id"]),
            answered=self._time("a", "answers", "timestamp"),
            submitted=self._time("t", "submissions", "submit_time"),
            sessions=sessions.identifier,
            session=Identifier(sessions.table.key[0]),
            within=Identifier(answers["session_id"]),
        )

    def _latest_answer(self) -> Composable:
        answers = self.tables["answers"].table
        return SQL(", {} DESC NULLS LAST, {} DESC NULLS LAST").format(
            self._time("a", "answers", "timestamp"), _of("a", answers.key[0])
        )


def joined_columns(name: str) -> tuple[str, ...]:
    """Our names of the columns of other tables that a row is read with."""
    joined = {"answers": ("correct_option", "expiry_time")}
    return (joined | {"submissions": ("session_id", "expiry_time")}).get(name, ())


def _of(alias: str, column: str) -> Composable:
    return Identifier(alias, column)


def _listed(items: Sequence[Composable]) -> Composable:
    return SQL(", ").join(items)
