"""Facts about the speed of policies that forget, detect or see a context: steps a second, and beside obp and MABWiser.

One thread, 10 arms, 10 features. The packages have no policy that forgets, and play contextual ones step by step on a
smaller world. Run with ``make facts``. The limits are those of the issue that asked for the engine; figures are
printed, and ratios are of one run on one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics.bandits import contextual_packages
from harness.topics.bandits.engine import context, drift, linear, windows
from harness.topics.bandits.engine.detectors import cusum, glr, halves
from harness.topics.bandits.engine.world import World

KEY = np.uint64(1)
MOVING: dict[str, Any] = {"horizon": 10_000, "replications": 200, "arms": 10, "changes": 4}
SEEN: dict[str, Any] = {"horizon": 10_000, "replications": 20, "arms": 10, "features": 10}
SMALL = SEEN | {"horizon": 100, "replications": 4}
FORGETTING: dict[str, Callable[[World], Any]] = {
    "sliding-ucb": lambda world: windows.sliding_ucb(world, 1_000, 0.2),
    "discounted-ucb": lambda world: windows.discounted_ucb(world, 0.999, 0.2),
    "sliding-thompson": lambda world: windows.sliding_thompson(world, 1_000, KEY),
    "discounted-thompson": lambda world: windows.discounted_thompson(world, 0.998, KEY),
    "cusum-ucb": lambda world: cusum.cusum_ucb(world, 50, 0.1, 8.0, 0.02, 0.2, KEY),
    "m-ucb": lambda world: halves.m_ucb(world, 100, 13.0, 0.01, 0.2),
    "glr-kl-ucb": lambda world: glr.glr_kl_ucb(world, 0.01, 0.01, 10, 5, KEY),
}
CONTEXTUAL: dict[str, Callable[[World], Any]] = {
    "lin-ucb": lambda world: linear.ucb(world, 0.5, 1.0),
    "lin-ts": lambda world: linear.thompson(world, 0.25, 1.0, KEY),
    "ridge-epsilon-greedy": lambda world: linear.greedy(world, 0.05, 1.0, KEY),
    "logistic-ts": lambda world: linear.logistic_thompson(world, 0.5, 1.0, KEY),
}
#: Steps a second and core.
LEAST = {
    "sliding-ucb": 10e6,
    "discounted-ucb": 10e6,
    "sliding-thompson": 1.3e6,
    "discounted-thompson": 1.3e6,
    "cusum-ucb": 4e6,
    "m-ucb": 4e6,
    "glr-kl-ucb": 1e6,
    "lin-ucb": 300e3,
    "lin-ts": 300e3,
    "ridge-epsilon-greedy": 300e3,
    "logistic-ts": 300e3,
}
#: Our kernel, and the packages' policies that do the same, with the least ratio of steps a second.
RIVALS = {
    "lin-ucb": {"obp-lin-ucb": 100, "mabwiser-lin-ucb": 1_000},
    "lin-ts": {"mabwiser-lin-ts": 1_000},
    "logistic-ts": {"obp-logistic-ts": 500},
}


def _speed(work: Callable[[], Any], passes: int = 5) -> float:
    """Return steps a second of CPU time, of the fastest of some passes after one of warming up."""
    steps, spent = work().size, []
    for _ in range(passes):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return float(steps / min(spent))


@pytest.fixture(scope="module")
def kernels() -> dict[str, float]:
    """Measure all kernels once."""
    moving = drift.abrupt(MOVING, np.random.default_rng(0))
    seen = context.linear(SEEN, np.random.default_rng(0))
    speeds = {}
    for world, named in ((moving, FORGETTING), (seen, CONTEXTUAL)):
        for name, kernel in named.items():
            speeds[name] = _speed(partial(kernel, world))
            print(f"\n{name}: {speeds[name] / 1e6:.2f} million steps/s")
    return speeds


@pytest.mark.parametrize("name", LEAST)
def test_kernels_reach_their_speed(kernels: dict[str, float], name: str) -> None:
    """Steps a second and core at 10 arms, and 10 features."""
    assert kernels[name] >= LEAST[name]


@pytest.mark.parametrize("ours", RIVALS)
def test_kernels_leave_packages_behind(kernels: dict[str, float], ours: str) -> None:
    """Steps a second, ours by theirs, in one run on one core."""
    world = context.linear(SMALL, np.random.default_rng(0))
    for theirs, least in RIVALS[ours].items():
        pytest.importorskip(theirs.partition("-")[0])
        strategy = contextual_packages.packages.strategies[theirs]
        speed = _speed(partial(strategy.run, Problem(world, SMALL, 0), unmeasured), 2)
        print(f"\n{ours} by {theirs}: {kernels[ours] / speed:,.0f}x ({speed:,.0f} steps/s)")
        assert kernels[ours] / speed >= least
