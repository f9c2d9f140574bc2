"""What every command that talks to Google Cloud shares; imports at most ``schemas``."""
