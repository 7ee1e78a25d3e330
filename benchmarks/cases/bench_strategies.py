"""The registered strategies for pytest-benchmark: ``pytest benchmarks --benchmark-only -k hist``, see docs/asv.md."""

from harness.interop.pytest_benchmark.suites import measured, outcomes, pytest_generate_tests, test_strategy

__all__ = ["measured", "outcomes", "pytest_generate_tests", "test_strategy"]
