"""What the command refuses, and how it describes a payload: no service is asked."""

import pytest

from pipeline.replay.__main__ import main
from pipeline.replay.sending import redacted
from schemas.exam_event.family import FAMILY as EXAM_EVENT


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--dataset=local-exams.x"],
        ["--topic=projects/local-exams/topics/events"],
        ["--dataset=local-exams.x", "--dead_letter_subscription=projects/p/subscriptions/dead"],
        ["--dataset=local-exams.x", "--topic=events"],
        ["--kind=all"],
        ["--fix=everything"],
        ["--max_replays=0"],
        ["--ids=/no/such/file"],
        ["--start=2026-03-02T10:00:00"],
        ["--start=2026-03-02T10:00:00Z", "--end=2026-03-02T10:00:00Z"],
    ],
)
def test_wrong_arguments_are_one_line(options, capsys):
    usual = ["--dataset=local-exams.x", "--topic=projects/local-exams/topics/events"]
    complete = not options or any("dataset" in o or "topic" in o for o in options)
    with pytest.raises(SystemExit) as ended:
        main(options if complete else [*usual, *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("body", "reason"), [(b"", "there are no ids"), (b"\xff", "not UTF-8")])
def test_a_wrong_id_file_is_one_line(body, reason, tmp_path, capsys):
    file = tmp_path / "ids.txt"
    file.write_bytes(body)
    with pytest.raises(SystemExit):
        main(
            ["--dataset=local-exams.x", "--topic=projects/local-exams/topics/t12", f"--ids={file}"]
        )
    assert reason in capsys.readouterr().err


def test_a_payload_is_told_by_its_shape():
    body = (
        b'{"event_id": "a", "attempt_no": 1, "answer": null, "is_correct_answer": true, '
        b'"error_payload": {}, "z": []}'
    )
    assert redacted(body, EXAM_EVENT) == (
        f"{len(body)} bytes: event_id string, answer null, is_correct_answer boolean, "
        "attempt_no number, error_payload object, 1 fields that the contract does not know"
    )
    assert redacted(b"[1]", EXAM_EVENT) == "3 bytes, no JSON object"
