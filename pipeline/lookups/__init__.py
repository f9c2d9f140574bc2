"""What judging an event reads besides the event."""
