"""The names of the tables; SQL files write them out."""

EVENTS_FACT = "events_fact"
DEAD_LETTERS = "dead_letters"
LATENESS_SETTINGS = "lateness_settings"
