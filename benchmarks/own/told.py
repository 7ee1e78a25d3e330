"""How a benchmark tells a figure: beside its limit, and beside a fixed loop by which moments and machines compare."""

from __future__ import annotations

import time


def told(name: str, figure: float, limit: float, unit: str) -> None:
    """Print a figure and fail when it is over its limit."""
    print(f"\n{name}: {figure:.4g} {unit} (limit {limit:g} {unit}; the fixed loop takes {_loop_s():.2f} s)")
    assert figure <= limit


def _loop_s() -> float:
    """Time a fixed loop: 10 million additions."""
    start = time.perf_counter()
    total = 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - start
