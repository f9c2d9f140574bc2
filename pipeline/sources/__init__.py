"""Reads messages from Pub/Sub and from files."""
