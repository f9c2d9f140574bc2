"""Deletes the data of persons from the warehouse and the archive."""
