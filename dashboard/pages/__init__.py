"""What the page shows: panels, as data."""
