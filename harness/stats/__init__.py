"""Comparison of records: which belong together, what they measured, and what can be said about the difference."""
