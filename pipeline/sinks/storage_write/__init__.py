"""Rows to BigQuery by the Storage Write API."""
