"""Lookups for judging an event: lateness settings and session starts."""
