"""The registered strategies as suites of other tools: asv and pytest-benchmark."""
