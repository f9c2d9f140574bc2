"""Benchmarks: performance compared with a lower bound and with common alternatives.

Every figure that has a target is a ratio within one run, so that it means the same on any machine.
"""
