"""asv: suites from the registry, and its result files."""
