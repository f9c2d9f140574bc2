"""An operational PostgreSQL: found or started, seeded, and kept busy by an app."""
