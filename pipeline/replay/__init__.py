"""Sends dead letters back to the main topic."""
