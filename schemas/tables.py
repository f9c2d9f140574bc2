"""The names of tables and views; SQL files write them out."""

EVENTS_FACT = "events_fact"
DEAD_LETTERS = "dead_letters"
LATENESS_SETTINGS = "lateness_settings"
LATENESS_RULES = "lateness_rules"
