"""Writes rows with BigQuery's Storage Write API."""
