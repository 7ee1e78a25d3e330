"""pytest-benchmark: suites from the registry, and its result files."""
