"""Benchmarks of other tools in a live gate: what a side is told of them, and that it imports its own package."""
