"""Simulated traffic, and exam logs as events."""
