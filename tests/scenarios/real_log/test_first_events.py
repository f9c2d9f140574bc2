"""The first events of the log through the stream: the same rows as through the bounded pipeline."""

import itertools
import uuid
from pathlib import Path

from local_runner.environment import PubSubNames
from local_runner.pipeline_process import drain_stream, streaming_pipeline
from local_runner.report.counts import arrived
from local_runner.traffic import exam_log
from local_runner.traffic.publishing import publish
from tests.scenarios.real_log.comparing import same_rows

ROOT = Path(__file__).parents[3]
COUNT = 600
# Columns about how a row arrived, not about the event.
ROWS = """
    SELECT * EXCEPT (ingest_ts, publish_ts, message_id, pipeline_version)
    FROM `{dataset}.events` ORDER BY message_id LIMIT {count}
"""


def test_the_stream_gives_the_rows_of_the_bounded_path(
    log_file, exam, imported, applied, pubsub_emulator, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pubsub = PubSubNames.of(uuid.uuid4().hex)
    pubsub.create()
    lines = exam_log.read_log(log_file.path, exam.start).lines
    payloads = exam_log.payloads(lines, exam_log.Exam(exam.name, exam.start))
    publish(((payload, {}) for payload in itertools.islice(payloads, COUNT)), pubsub.topic, ignore)

    with streaming_pipeline(pubsub, applied.dataset, tmp_path) as process:
        drain_stream(process, lambda: arrived(applied.client, applied.dataset), COUNT, ignore)
        assert process.stop() == 0, process.last_lines()

    streamed = imported.rows(ROWS.format(dataset=applied.dataset, count=COUNT))
    bounded = imported.rows(ROWS.format(dataset=imported.dataset, count=COUNT))
    assert len(streamed) == COUNT
    same_rows(streamed, bounded, "event_id")


def ignore(_):
    pass
