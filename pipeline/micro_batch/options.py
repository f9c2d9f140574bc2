"""The options of the micro-batch mode."""

import argparse
import dataclasses


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """How a subscription is run batch by batch. The arguments below tell the meanings.

    Raises:
        ValueError: a number lies out of its bounds.
    """

    max_messages: int
    max_seconds: float
    metrics_port: int | None

    def __post_init__(self) -> None:
        if not 1 <= self.max_messages <= 100_000:
            raise ValueError("--micro_batch_max_messages must be 1 to 100,000")
        if not 0 <= self.max_seconds <= 600:
            raise ValueError("--micro_batch_max_seconds must be 0 to 600")
        if self.metrics_port is not None and not 0 <= self.metrics_port <= 65_535:
            raise ValueError("--metrics_port must be 0 to 65535")


def add_micro_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them to the pipeline's own."""
    parser.add_argument(
        "--micro_batch",
        action="store_true",
        help="run the subscription batch by batch on this machine, and acknowledge what is written",
    )
    parser.add_argument(
        "--micro_batch_max_messages",
        type=int,
        default=5_000,
        help="messages of a batch (default: %(default)s)",
    )
    parser.add_argument(
        "--micro_batch_max_seconds",
        type=float,
        default=1.0,
        help="how long a message waits for its batch to fill (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics_port",
        type=int,
        help="port of /metrics and /healthz with --micro_batch (default: none)",
    )
