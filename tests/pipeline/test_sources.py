import datetime as dt
import io

import fastavro
import pytest
from apache_beam.io.filesystem import FileMetadata, MatchResult
from apache_beam.io.gcp.pubsub import PubsubMessage
from proto.datetime_helpers import DatetimeWithNanoseconds

from pipeline.sources import files, subscription
from schemas.coders import StructCoder
from schemas.message import Message
from tests.pipeline.archives import ARCHIVE

PUBLISHED = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def lines(content: bytes):
    return list(files.read_lines(io.BytesIO(content), "/some/where/log.jsonl", PUBLISHED))


def archive(path, count, schema=ARCHIVE):
    records = [
        {
            "subscription_name": "projects/p/subscriptions/archive",
            "message_id": str(number),
            "publish_time": PUBLISHED,
            "attributes": {"origin": "app"},
            "data": b"\x00\xff\n" + str(number).encode(),
        }
        for number in range(count)
    ]
    with path.open("wb") as file:
        fastavro.writer(file, schema, records)
    return str(path)


def test_each_line_is_a_message_numbered_from_one():
    messages = lines(b'{"a":1}\n\n{"b":2}\r\n{"c":3}')
    assert [m.payload for m in messages] == [b'{"a":1}', b"", b'{"b":2}', b'{"c":3}']
    assert messages[3].message_id == "/some/where/log.jsonl:000000004"
    assert messages[0].source == "/some/where/log.jsonl"
    assert messages[0].publish_time == PUBLISHED
    assert lines(b"") == []


def test_a_line_longer_than_any_message_keeps_its_beginning_and_its_size(monkeypatch):
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 8)
    messages = lines(b"x" * 8 + b"\n" + b"y" * 30 + b"\nlast\n" + b"z" * 20)
    assert [(m.payload, m.size) for m in messages] == [
        (b"xxxxxxxx", 8),
        (b"yyyyyyyy", 30),
        (b"last", None),
        (b"zzzzzzzz", 20),
    ]


def test_an_archive_gives_back_what_pubsub_had(tmp_path):
    path = archive(tmp_path / "part.avro", 3)
    messages = list(files.read_file(path, publish_time=dt.datetime.now(dt.UTC)))
    assert [m.message_id for m in messages] == ["0", "1", "2"]
    assert messages[1].payload == b"\x00\xff\n1"
    assert messages[1].publish_time == PUBLISHED
    assert messages[1].attributes == {"origin": "app"}


def test_a_cut_archive_is_damage_and_not_an_end(tmp_path):
    path = tmp_path / "part.avro"
    archive(path, 5_000)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(files.DamagedInputError, match="damaged"):
        list(files.read_file(str(path), PUBLISHED))


@pytest.mark.parametrize("content", [b"", b"hello", b'{"a":1}\n'])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "part.avro"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not an Avro file"):
        files.check_archive(str(path))


def test_an_archive_without_metadata_is_refused(tmp_path):
    schema = ARCHIVE | {"fields": [ARCHIVE["fields"][4]]}
    with pytest.raises(ValueError, match="attributes, message_id, publish_time"):
        files.check_archive(archive(tmp_path / "part.avro", 1, schema))


def test_a_pattern_names_files_in_order(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        (tmp_path / name).touch()
    assert [p.rsplit("/", 1)[1] for p in files.match(f"{tmp_path}/*.jsonl")] == [
        "a.jsonl",
        "b.jsonl",
    ]
    with pytest.raises(FileNotFoundError):
        files.match(f"{tmp_path}/none.jsonl")


def test_two_files_of_one_name_are_two_files(tmp_path):
    for folder in ("monday", "tuesday"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.jsonl").write_bytes(b"{}\n")
    found = [
        message.message_id
        for path in files.match(f"{tmp_path}/*/log.jsonl")
        for message in files.read_file(path, PUBLISHED)
    ]
    assert found == [
        f"{tmp_path}/monday/log.jsonl:000000001",
        f"{tmp_path}/tuesday/log.jsonl:000000001",
    ]


def test_a_relative_path_is_made_absolute(tmp_path, monkeypatch):
    (tmp_path / "odd [name]").mkdir()
    (tmp_path / "odd [name]" / "log.jsonl").touch()
    monkeypatch.chdir(tmp_path / "odd [name]")
    for pattern in ("log.jsonl", "./*.jsonl", "../odd*/log.jsonl"):
        assert files.match(pattern) == [f"{tmp_path}/odd [name]/log.jsonl"]


def test_a_uri_stays_as_it_is(monkeypatch):
    """No object store can be reached from a test: what it would list is given."""
    listed = MatchResult("gs://b/*.jsonl", [FileMetadata("gs://b/x//log.jsonl", 1)])
    monkeypatch.setattr(files.FileSystems, "match", lambda patterns: [listed])
    assert files.match("gs://b/*.jsonl") == ["gs://b/x//log.jsonl"]


def test_a_pubsub_message_keeps_its_metadata_and_travels():
    published = DatetimeWithNanoseconds.from_rfc3339("2026-01-02T03:04:05.123456789Z")
    received = PubsubMessage(b"{}", {"origin": "app"}, message_id="7", publish_time=published)
    message = subscription.from_pubsub(received, source="projects/p/subscriptions/s")
    assert message.message_id == "7"
    assert message.publish_time == PUBLISHED.replace(microsecond=123456)
    assert message.attributes == {"origin": "app"}
    coder = StructCoder(Message)
    assert coder.decode(coder.encode(message)) == message
