"""Benchmarks of other tools declared as strategies, collected by the tools themselves, so that a gate measures them."""
