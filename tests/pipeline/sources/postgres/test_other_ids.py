"""Transaction ids that wrap, and those of another database: no row is missed, and it is said."""

import logging
import os

import psycopg
import pytest

from gcp.environments import DATABASE_URL
from local_runner.postgres.server import new_cluster
from pipeline.sources.postgres.mapping import SourceMapping, default_mapping
from tests.pipeline.sources.postgres.pulling import Puller

IDS = 2**32
BEFORE = 10
_BLOCK, _IDS_PER_BLOCK, _BLOCKS = 8192, 8192 * 4, 32
NOBODY = 65534


def insert(cluster, *students):
    """Each in a transaction of its own."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        for student in students:
            connection.execute("INSERT INTO students VALUES (%s)", (student,))


def create(cluster):
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE students (student_id text PRIMARY KEY)")


@pytest.fixture
def cluster():
    with new_cluster() as cluster:
        yield cluster


@pytest.fixture
def students(cluster, monkeypatch):
    """Pulls the students of the cluster."""
    monkeypatch.setenv(DATABASE_URL, cluster.url())
    students = SourceMapping({"students": default_mapping().tables["students"]})
    puller = Puller(mapping=students)
    yield puller
    puller.engine.dispose()


def test_no_row_is_missed_where_transaction_ids_wrap(cluster, students, tmp_path):
    # Its record has no place for ids that were never given away.
    options = {"track_commit_timestamp": "off", "autovacuum": "off"}
    with cluster.running(tmp_path, options):
        create(cluster)
        insert(cluster, "old")
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("VACUUM FREEZE")
    set_next_transaction(cluster, IDS - BEFORE)
    with cluster.running(tmp_path, options):
        insert(cluster, "before")
        assert students.keys() == ["before", "old"]
        assert students.state.next_since < IDS
        insert(cluster, *(f"new-{number:02}" for number in range(2 * BEFORE)))
        read = students.keys()
        assert read == [f"new-{number:02}" for number in range(2 * BEFORE)]
        assert students.state.next_since > IDS
        assert students.keys() == []
        insert(cluster, "after")
        assert students.keys() == ["after"]


def set_next_transaction(cluster, number):
    """As if so many transactions had been."""
    segment = cluster.data / "pg_xact" / f"{number // (_IDS_PER_BLOCK * _BLOCKS):04X}"
    segment.write_bytes(bytes(_BLOCK * _BLOCKS))
    if os.geteuid() == 0:
        os.chown(segment, NOBODY, NOBODY)
    cluster.run("pg_resetwal", "-f", "-x", str(number), "-u", str(number), "-D", str(cluster.data))


def test_another_database_is_read_whole(cluster, students, tmp_path, monkeypatch, caplog):
    """As after a restore into a new server: its ids are not those of the last pull."""
    with new_cluster() as other:
        with cluster.running(tmp_path / "first"):
            create(cluster)
            insert(cluster, "kept", "lost")
            assert students.keys() == ["kept", "lost"]
        with other.running(tmp_path / "second"):
            create(other)
            insert(other, "kept")
            monkeypatch.setenv(DATABASE_URL, other.url())
            again = Puller(mapping=students.source.mapping)
            again.state = students.state
            with caplog.at_level(logging.INFO):
                assert again.keys() == ["kept"]
            assert "reading all rows: the database is another one" in caplog.text
            assert again.keys() == []
            again.engine.dispose()
