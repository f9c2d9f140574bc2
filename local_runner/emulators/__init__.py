"""The emulators of Pub/Sub and BigQuery."""
