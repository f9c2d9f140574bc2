"""Benchmarks: what this costs, held against a floor and against what people use instead.

Every figure that has a target is a ratio within one run, so that it means the same on any machine.
"""
