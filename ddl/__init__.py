"""The warehouse in SQL, and the tool that applies it to a BigQuery dataset."""
