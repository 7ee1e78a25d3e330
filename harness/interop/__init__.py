"""Other tools: suites for asv and pytest-benchmark, and their results imported and exported."""
