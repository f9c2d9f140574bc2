"""Reads rows of an operational PostgreSQL, each as a message of an event family."""
