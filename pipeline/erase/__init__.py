"""Deletes the data of students from the warehouse and the archive."""
