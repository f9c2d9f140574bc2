"""Publishes the changes of an operational PostgreSQL to the topic that the pipeline reads."""
