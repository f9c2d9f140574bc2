"""Writes rows to BigQuery and dead letters to Pub/Sub."""
