"""What a person can get wrong is one line, before anything is read; an outage is waited for."""

import os
import threading
import time

import psycopg
import pytest
from sqlalchemy.engine import make_url

from gcp.environments import DATABASE_URL
from local_runner.emulators.ports import free_port
from local_runner.postgres.server import new_cluster
from pipeline.sources.postgres import engine as engines
from pipeline.sources.postgres.engine import get_engine
from pipeline.sources.postgres.input import SourceError
from pipeline.sources.postgres.keys import read_keys
from pipeline.sources.postgres.mapping import SourceMapping, default_mapping, read_mapping
from pipeline.sources.postgres.plan import ranges
from pipeline.sources.postgres.read import read_range
from tests.pipeline.sources.postgres.pulling import Puller


@pytest.fixture
def url_with(school, monkeypatch):
    """Changes parts of DATABASE_URL."""

    def change(**parts):
        url = make_url(school.url).set(**parts).render_as_string(hide_password=False)
        monkeypatch.setenv(DATABASE_URL, url)

    return change


def refusal(puller=None):
    with pytest.raises(SourceError) as caught:
        (puller or Puller(wait_seconds=0)).begin()
    text = str(caught.value)
    assert "\n" not in text
    assert make_url(os.environ[DATABASE_URL]).password not in text
    return text


def test_a_wrong_password_is_refused_at_once(url_with):
    url_with(password="wrong-password")  # noqa: S106
    began = time.monotonic()
    assert refusal(Puller()) == 'password authentication failed for user "postgres"'
    assert time.monotonic() - began < 10


def test_a_database_that_does_not_exist(url_with):
    url_with(database="nowhere")
    assert refusal(Puller()) == 'database "nowhere" does not exist'


def test_a_database_that_does_not_answer(url_with):
    port = free_port()
    url_with(port=port)
    text = refusal(Puller(wait_seconds=1))
    assert text.startswith(f"PostgreSQL at 127.0.0.1:{port}, test_")
    assert "did not answer for 1 s" in text


@pytest.mark.parametrize(
    "url", ["mysql://a:secret@b/c", "nonsense secret", "postgresql+asyncpg://"]
)
def test_an_url_of_something_else(url, monkeypatch):
    monkeypatch.setenv(DATABASE_URL, url)
    with pytest.raises(SourceError, match="must be postgresql://") as caught:
        get_engine(None)
    assert "secret" not in str(caught.value)


def test_no_url(monkeypatch, tmp_path):
    monkeypatch.delenv(DATABASE_URL, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="DATABASE_URL is not set: set it, or write it to"):
        get_engine("prod")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE submissions", "the database has no table submissions: "),
        ("ALTER TABLE answers DROP submitted_option", "has no column submitted_option: "),
        ('ALTER TABLE answers ALTER "timestamp" TYPE timestamp', "timestamp has no time zone: "),
        ("ALTER TABLE answers ALTER answer_id DROP IDENTITY", None),
        ("ALTER TABLE submissions RENAME TO other; CREATE VIEW submissions AS TABLE other", "no t"),
        (
            "ALTER TABLE submissions DROP CONSTRAINT submissions_pkey; "
            "ALTER TABLE submissions ALTER test_id DROP NOT NULL",
            "submissions.test_id may be null",
        ),
    ],
)
def test_what_the_database_lacks(school, puller, change, said):
    school.execute(change)
    if said is None:
        puller.begin()
    else:
        assert said in refusal(puller)


def test_keys_of_different_types_do_not_compare(school, puller):
    school.execute(
        "ALTER TABLE answers DROP CONSTRAINT answers_session_id_fkey; "
        "ALTER TABLE answers ALTER session_id TYPE integer USING 1"
    )
    assert refusal(puller) == "operator does not exist: text = integer"


def test_select_is_all_it_needs_and_less_is_refused(school, url_with):
    school.execute(
        "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'read-only'; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; "
        "REVOKE SELECT ON submissions FROM reader"
    )
    try:
        url_with(username="reader", password="read-only")  # noqa: S106
        assert refusal() == "permission denied for table submissions"
        school.execute("GRANT SELECT ON submissions TO reader")
        school.answer(1)
        puller = Puller()
        assert puller.keys("answers") == ["1"]
        with (
            engines.snapshot(puller.engine) as connection,
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        ):
            engines.text_cursor(connection).execute("CREATE TABLE mine ()")
    finally:
        school.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_renamed_tables_and_columns(school, tmp_path):
    school.execute(
        "CREATE SCHEMA app; ALTER TABLE answers SET SCHEMA app; ALTER TABLE app.answers "
        'RENAME TO "A b"; ALTER TABLE app."A b" RENAME submitted_option TO "Ch%oice"; '
        'ALTER TABLE app."A b" RENAME answer_id TO id; DROP TABLE submissions; '
        "ALTER TABLE students RENAME grade TO klass"
    )
    file = tmp_path / "mapping.toml"
    file.write_text(
        """
        [answers]
        table = "app.A b"
        key = ["id"]
        columns = { submitted_option = "Ch%oice" }
        [submissions]
        take = false
        [students]
        columns = { grade = "klass", email = "email" }
        private = ["email"]
        """
    )
    with psycopg.connect(school.url) as connection:
        connection.execute(
            'INSERT INTO app."A b" (id, student_id, question_id, test_id, session_id, "Ch%oice") '
            "VALUES (5, 's1', 'q1', 'test-1', 'session-1', 'B')".replace("%", "%%"),
            (),
        )
    puller = Puller(mapping=read_mapping(str(file)), rows_per_range=1)
    payloads = puller.payloads()
    [answer] = [payload for payload in payloads if payload["event_type"] == "answer"]
    assert answer["answer"] == "B"
    [student] = [payload for payload in payloads if payload.get("dimension") == "student"]
    assert (student["row"], student["private_row"]) == ({"grade": "7"}, {"email": "s@example.com"})


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[marks]", "no table 'marks': there are answers, questions, "),
        ("[answers]\nname = 'a'", "answers: no key 'name': there are columns, "),
        ("[answers]\nkey = ['a', 'b']", "answers: key must be a list of one column"),
        ("[answers]\nkey = 'id'", "answers: key must be a list of texts"),
        ("[answers]\ncolumns = { mark = 'm' }", "answers: no column 'mark'"),
        ("[answers]\ncolumns = { timestamp = 1 }", "answers: columns must be a table of texts"),
        ("[students]\nprivate = ['ssn']", "students: private names 'ssn'"),
        ("[answers]\nprivate = ['answer']", "answers: private"),
        ("[questions]\ntake = false", "answers cannot be taken without questions"),
        ("[answers]\ntake = false", "submissions cannot be taken without answers"),
        ("[answers]\ntable = ''", "answers: table must be a text"),
        ("answers = 5", "answers must be a table"),
        ("[answers", ""),
    ],
)
def test_a_mapping_that_makes_no_sense_is_one_line(toml, said, tmp_path):
    file = tmp_path / "mapping.toml"
    file.write_text(toml)
    with pytest.raises(ValueError, match=r"mapping\.toml: ") as caught:
        read_mapping(str(file))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_that_is_not_there():
    with pytest.raises(ValueError, match=r"nowhere\.toml: No such file"):
        read_mapping("nowhere.toml")


def test_only_what_is_wanted_is_read(school):
    exam = Puller(families=frozenset({"exam_event"}))
    assert exam.source.tables() == ("answers", "submissions", "sessions")
    changes = Puller(families=frozenset({"session_change", "dimension_change"}))
    assert changes.source.tables()[0] == "sessions"
    assert {p["event_type"] for p in changes.payloads()} == {"session_change", "dimension_change"}
    mapping = SourceMapping({"students": default_mapping().tables["students"]})
    assert Puller(mapping=mapping).source.tables() == ("students",)


def test_a_lost_connection_goes_on_after_the_last_row(school, monkeypatch):
    for number in range(9):
        school.answer(number)
    monkeypatch.setattr("pipeline.sources.postgres.read._FETCHED_ROWS", 3)
    puller = Puller()
    pull = puller.begin()
    [part] = ranges(puller.engine, puller.source, pull, "answers")
    read = []
    for row in read_range(puller.engine, puller.source, pull, part):
        read.append(row.key[0])
        if len(read) in (3, 5):
            school.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'exam-events'"
            )
    assert read == [str(number) for number in range(9)]


def test_deleted_rows_are_missing_among_the_keys(school, puller):
    school.execute("INSERT INTO tests VALUES ('test-2', '')")
    pull = puller.begin()
    assert sorted(read_keys(puller.engine, puller.source, pull, "tests")) == ["test-1", "test-2"]


def test_a_restart_is_waited_for_and_another_database_is_not_taken_for_it(tmp_path, monkeypatch):
    with new_cluster() as cluster:
        monkeypatch.setenv(DATABASE_URL, cluster.url())
        mapping = SourceMapping({"students": default_mapping().tables["students"]})
        puller = Puller(mapping=mapping)
        with cluster.running(tmp_path):
            with psycopg.connect(cluster.url()) as connection:
                connection.execute("CREATE TABLE students (student_id text PRIMARY KEY)")
                connection.execute("INSERT INTO students VALUES ('s1')")
            assert puller.keys() == ["s1"]
            assert puller.keys() == []
        found = []
        waiting = threading.Thread(target=lambda: found.append(puller.keys()))
        waiting.start()
        time.sleep(1)
        with cluster.running(tmp_path):
            waiting.join()
            assert found == [[]]
            before = puller.last
        # As a standby that is promoted: the same system identifier, another timeline.
        (cluster.data / "standby.signal").touch()
        with cluster.running(tmp_path, {"hot_standby": "on"}):
            assert puller.keys() == []  # a standby can be pulled
            cluster.run("pg_ctl", "-D", str(cluster.data), "-w", "promote")
            [part] = ranges(puller.engine, puller.source, before, "students")
            with pytest.raises(SourceError, match="replaced, restored or promoted"):
                list(read_range(puller.engine, puller.source, before, part))
            assert puller.keys() == ["s1"]
            assert puller.state.timeline == 2
            assert puller.keys() == []
