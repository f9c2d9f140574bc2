"""Exam events: what students do in a timed multiple-choice test."""
