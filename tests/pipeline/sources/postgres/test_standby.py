"""A pull of a hot standby, which cancels queries that read what its primary removes."""

import os
import shutil
import time

import psycopg
import pytest

from gcp.environments import DATABASE_URL
from local_runner.postgres.server import Cluster, new_cluster
from pipeline.sources.postgres.mapping import SourceMapping, default_mapping
from pipeline.sources.postgres.plan import ranges
from pipeline.sources.postgres.read import read_range
from tests.pipeline.sources.postgres.pulling import Puller

NOBODY = 65534


@pytest.fixture
def primary(tmp_path, monkeypatch):
    """The URL of a primary; DATABASE_URL is that of its standby."""
    with new_cluster() as first, new_cluster() as other:
        with first.running(tmp_path / "primary"), psycopg.connect(first.url()) as connection:
            connection.execute("CREATE TABLE students (student_id text PRIMARY KEY, name text)")
            connection.execute(
                "INSERT INTO students SELECT i, repeat('x', 500) FROM generate_series(1000, 9999) i"
            )
        second = Cluster(other.programs, other.folder, first.password, other.port)
        shutil.rmtree(second.data)
        shutil.copytree(first.data, second.data)
        (second.data / "standby.signal").touch()
        if os.geteuid() == 0:
            for path in [second.data, *second.data.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        options = {"primary_conninfo": first.url(), "max_standby_streaming_delay": "0"}
        with first.running(tmp_path / "primary"), second.running(tmp_path / "standby", options):
            monkeypatch.setenv(DATABASE_URL, second.url())
            yield first.url()


def test_a_range_that_a_standby_cancels_goes_on(primary, monkeypatch, caplog):
    monkeypatch.setattr("pipeline.sources.postgres.read._FETCHED_ROWS", 100)
    puller = Puller(
        mapping=SourceMapping({"students": default_mapping().tables["students"]}),
    )
    pull = puller.begin()
    [part] = ranges(puller.engine, puller.source, pull, "students")
    read = []
    for row in read_range(puller.engine, puller.source, pull, part):
        read.append(row.key[0])
        if len(read) == 100:
            with psycopg.connect(primary, autocommit=True) as connection:
                connection.execute("DELETE FROM students WHERE student_id > '8999'")
                connection.execute("VACUUM students")
                [position] = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
            wait_for_replay(position)
    assert "reading students was interrupted: it goes on" in caplog.text
    assert read == [str(number) for number in range(1000, 9000)]


def test_a_standby_misses_nothing_that_commits_late(primary):
    puller = Puller(mapping=SourceMapping({"students": default_mapping().tables["students"]}))
    assert len(puller.keys()) == 9_000
    with psycopg.connect(primary) as slow, psycopg.connect(primary, autocommit=True) as quick:
        slow.execute("INSERT INTO students VALUES ('late')")
        with slow.transaction():
            slow.execute("INSERT INTO students VALUES ('later')")
        quick.execute("INSERT INTO students VALUES ('soon')")
        wait_for_replay(quick.execute("SELECT pg_current_wal_lsn()").fetchone()[0])
        assert puller.keys() == ["soon"]
        slow.commit()
        wait_for_replay(quick.execute("SELECT pg_current_wal_lsn()").fetchone()[0])
        assert puller.keys() == ["late", "later", "soon"]


def wait_for_replay(position):
    """Waits until the standby has what the primary had at this position."""
    deadline = time.monotonic() + 60
    with psycopg.connect(os.environ[DATABASE_URL], autocommit=True) as connection:
        while time.monotonic() < deadline:
            query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            if connection.execute(query, (position,)).fetchone()[0]:
                return
            time.sleep(0.1)
    raise TimeoutError
