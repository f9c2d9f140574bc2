"""What the generated log has in common with the real one."""

import collections

from tests import exam_logs


def test_an_exam_log_has_the_oddities_that_tests_look_for(log_file):
    lines = [tuple(line.split("\t")) for line in log_file.path.read_text().splitlines()]
    assert len(lines) == log_file.lines
    clocks = collections.defaultdict(list)
    for clock, student, _, _ in lines:
        clocks[student].append(int(clock))
    assert len(clocks) == log_file.students
    assert len(lines) - len(set(lines)) == log_file.copies > 0
    assert sum(clock < 0 for own in clocks.values() for clock in own) == log_file.negative > 0
    assert all(max(own) > 0 for own in clocks.values())
    out_of_order = [own for own in clocks.values() if own != sorted(own)]
    assert 0 < len(out_of_order) < len(clocks) / 10
    late = sum(clock > 180 * 60_000 for own in clocks.values() for clock in own)
    assert 0.07 < late / len(lines) < 0.10
    questions = {(student, question) for _, student, question, _ in lines}
    assert 9 < len(lines) / len(questions) < 11
    scores = {score for *_, score in lines}
    assert {"0", "1", "0.5"} < scores


def test_the_same_seed_gives_the_same_log(tmp_path):
    texts = [exam_logs.generated(tmp_path, seed).path.read_bytes() for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
