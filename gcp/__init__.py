"""Shared by every command that calls Google Cloud; imports nothing of ours but ``schemas``."""
