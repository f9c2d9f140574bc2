"""Limits that the contract, the settings file and the commands share (DESIGN 2)."""

# Characters of an id: of an event, a test, a student, a session, a question.
MAX_ID_LENGTH = 128
# A week: of a session's duration, and so of a grace period.
MAX_DURATION_SECONDS = 604_800
