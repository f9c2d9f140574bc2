"""Changes of sessions in the operational database."""
