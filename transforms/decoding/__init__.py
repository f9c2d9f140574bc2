"""From bytes to typed events: a fast path, and a slow one that names faults."""
