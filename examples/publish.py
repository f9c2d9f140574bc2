"""Publishes events: python publish.py projects/PROJECT/topics/TOPIC event.json [FILE ...].

Needs google-cloud-pubsub; the client itself reads PUBSUB_EMULATOR_HOST.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.pubsub_v1 import PublisherClient, types

# A batch leaves when it is full or 50 ms old; publish() blocks while 1,000 messages wait.
BATCHES = types.BatchSettings(max_messages=500, max_bytes=1_000_000, max_latency=0.05)
WAITING = types.PublishFlowControl(
    message_limit=1_000,
    byte_limit=10_000_000,
    limit_exceeded_behavior=types.LimitExceededBehavior.BLOCK,
)
PASSING = if_exception_type(
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)
RETRY = Retry(predicate=PASSING, initial=0.25, multiplier=1.45, maximum=90.0, timeout=300.0)
# No ordering keys: the pipeline does not need them, and they cost throughput.
OPTIONS = types.PublisherOptions(flow_control=WAITING, retry=RETRY)


def publish(topic: str, events: Iterable[bytes]) -> list[str]:
    """Publishes JSON events, one a message, and returns the message ids.

    Raises:
        google.api_core.exceptions.GoogleAPIError: an event was not published. Keep it and
            publish it again: copies do no harm, since the view ``events`` has each event_id once.
    """
    with PublisherClient(BATCHES, OPTIONS) as client:
        futures = [client.publish(topic, event) for event in events]
        return [future.result() for future in futures]


if __name__ == "__main__":
    name, *files = sys.argv[1:]
    try:
        print("\n".join(publish(name, (Path(file).read_bytes() for file in files))))
    except exceptions.GoogleAPIError as error:
        sys.exit(f"error: {name}: {error}")
