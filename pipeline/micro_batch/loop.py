"""The mode's main loop: take a batch, write it, acknowledge it."""

import contextlib
import time

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.config import Config
from pipeline.lookups.lateness_settings import SettingsTable
from pipeline.lookups.session_starts import SessionStartCache
from pipeline.micro_batch.batch_queue import BatchQueue
from pipeline.micro_batch.batches import Batches
from pipeline.micro_batch.health import Health
from pipeline.micro_batch.puller import Puller
from pipeline.micro_batch.status import Status
from pipeline.stop_signals import on_stop_signal
from schemas.event_time import Bounds
from transforms.lateness.steps import Lookups


def run(config: Config, bounds: Bounds, options: PipelineOptions) -> int:
    """Runs until a signal stops it; returns the exit code.

    Raises:
        StartupError: the metrics port cannot be used.
        Exception: Pub/Sub rejects the pull, or our code fails regardless of the messages.
    """
    mode = config.micro_batch
    assert mode is not None  # noqa: S101 - main() made sure of it
    batch_queue = BatchQueue(mode.max_messages, mode.max_seconds)
    on_stop_signal(batch_queue.close, "the running batch")
    settings = SettingsTable(config.dataset, config.settings_refresh_seconds)
    if any(family.judged_types for family in config.families):
        settings.open()  # kept here, so that no batch reads them again
    lookups = Lookups(settings, SessionStartCache(config.dataset))
    batches = Batches(config, bounds, options, lookups)
    puller = Puller(config.input.name, batch_queue, mode.max_messages)
    health = Health(config.families, batch_queue.oldest, lambda: puller.fault)
    with contextlib.ExitStack() as stack:
        if mode.metrics_port is not None:
            stack.enter_context(health.serve(mode.metrics_port))
        status = stack.enter_context(Status())
        stack.enter_context(puller)
        while messages := batch_queue.take():
            began = time.monotonic()
            with health.running(messages):
                counts = batches.run(messages)
            for message in messages:
                message.ack()
            health.count(counts)
            status.add(counts, time.monotonic() - began)
    return 0
