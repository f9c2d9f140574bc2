"""How long a test waits for something that comes by itself."""

# No speed is asserted by it: it only has to end before the time limit of a test does, so that a
# test that waits in vain can still show a log.
PATIENCE_SECONDS = 240
