"""The stream, from Google's Pub/Sub emulator to bqemulator, as its user runs it."""

import signal

from local_runner.emulators.start import PROJECT
from tests.pipeline.commands import run
from tests.pipeline.events import bodies
from tests.pipeline.payloads import DEAD, FACTS
from tests.pipeline.streaming import check_rows, dead_letters, streaming, wait_for


def test_messages_stream_into_facts_and_dead_letters(topics, applied, rows_of, tmp_path):
    names, publisher, subscriber = topics
    topic = names["events"][0]
    payloads = bodies(*FACTS, *DEAD)
    futures = [publisher.publish(topic, payload, origin="test") for payload in payloads]
    futures.append(publisher.publish(topic, payloads[0], origin="test"))  # the same event again
    for future in futures:
        future.result()
    log = tmp_path / "pipeline.log"
    with streaming(names, applied.dataset, log) as process:
        wait_for(rows_of, len(futures), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert "Traceback" not in log.read_text()

    check_rows(rows_of)

    letters = dead_letters(subscriber, names["dead-letters"][1], len(DEAD))
    assert sorted(m.data for m in letters) == sorted(payloads[len(FACTS) :])
    assert {m.attributes["origin"] for m in letters} == {"test"}
    assert {m.attributes["source"] for m in letters} == {names["events"][1]}


def test_a_missing_subscription_is_one_line(topics, applied):
    names, _, _ = topics
    done = run(
        f"--input_subscription=projects/{PROJECT}/subscriptions/nobody",
        f"--dead_letter_topic={names['dead-letters'][0]}",
        f"--dataset={applied.dataset}",
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: subscription projects/{PROJECT}/subscriptions/nobody does not exist: "
        "create it first"
    ]
