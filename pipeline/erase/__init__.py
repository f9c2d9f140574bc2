"""Deletes what the warehouse and the archive hold of students."""
