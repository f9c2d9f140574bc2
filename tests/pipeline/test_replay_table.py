"""The command over the table dead_letters, against bqemulator and Google's Pub/Sub emulator."""

from google.pubsub_v1 import PublisherClient as PublisherApi

from pipeline.replay.__main__ import main
from schemas.errors import ErrorKind
from tests.pipeline.replays import PROJECT, THEIRS, dead, insert
from tests.transforms.builders import NOW, letter, message


def test_letters_of_the_table_go_back_once(applied, wire, tmp_path, capsys):
    insert(
        applied,
        dead("m1", b"one"),
        dead("m1", b"one"),  # written twice
        dead("m1-again", b"one", replays=1),
        dead("m2", b"\x00\xff"),
        dead("store", kind=ErrorKind.STORE_ERROR),
        dead("cut", b"x" * 1_100_000),
        dead("asked-not", b"three"),
    )
    file = tmp_path / "ids.txt"
    file.write_text("m2\n\ncut\r\nm1\n")
    command = [f"--dataset={applied.dataset}", f"--topic={wire.main[0]}"]
    assert main([*command, f"--ids={file}"]) == 0
    out, _ = capsys.readouterr()
    assert "Dead letters: " in out
    assert wire.taken(wire.main) == [
        (b"\x00\xff", THEIRS | {"replay_of": "m2", "replay_count": "1"}),
        (b"one", THEIRS | {"replay_of": "m1", "replay_count": "1"}),
    ]
    assert main([*command, "--start=2026-03-03T00:00:00Z"]) == 0
    assert capsys.readouterr().out.endswith("no dead letters\n")


def test_an_interrupted_pass_over_the_table_says_how_to_go_on(applied, wire, capsys, monkeypatch):
    def ctrl_c(*arguments, **options):
        raise KeyboardInterrupt

    insert(applied, dead("m1"))
    monkeypatch.setattr(PublisherApi, "publish", ctrl_c)
    assert main([f"--dataset={applied.dataset}", f"--topic={wire.main[0]}"]) == 1
    assert capsys.readouterr().err.endswith(f": go on with --start {NOW.isoformat()}\n")


def test_letters_that_share_a_message_id_are_both_replayed(applied, wire, capsys):
    insert(
        applied,
        dead("log.jsonl:1", b"one", source="/mon/log.jsonl"),
        dead("log.jsonl:1", b"two", source="/tue/log.jsonl"),
    )
    command = [f"--dataset={applied.dataset}", f"--topic={wire.main[0]}"]
    assert main(command) == 0
    assert [data for data, _ in wire.taken(wire.main)] == [b"one", b"two"]


def test_a_senders_own_attribute_replay_of_hides_nothing(applied, capsys):
    sent = [message(b"{", message_id=f"m{n}", attributes={"replay_of": "prod"}) for n in range(3)]
    insert(applied, *map(letter, sent))
    topic = f"--topic=projects/{PROJECT}/topics/events"
    assert main([f"--dataset={applied.dataset}", topic, "--dry_run"]) == 0
    assert capsys.readouterr().out.count("for instance") == 3
