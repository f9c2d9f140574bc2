"""Renders SQL files from contracts."""
