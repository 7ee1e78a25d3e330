"""Figures of other tools: read into runs, and runs written as those tools read them."""
