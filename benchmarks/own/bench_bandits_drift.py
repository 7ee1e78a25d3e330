"""Facts about the speed of policies that forget, detect or see a context: steps a second, and beside obp and MABWiser.

One thread, 10 arms, 10 features. The packages have no policy that forgets, and play contextual ones step by step on a
smaller world. Run with ``make facts``. A kernel's yardstick is the least that playing needs: a compiled pass that scans
all arms in every step. Limits are ratios within one run; steps a second are printed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scan import scan_arms
from unmeasured import unmeasured
from yardstick import check_ratio, take_turns

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
#: The most time of a kernel for a step, in steps of the yardstick: 2 to 3 times what was measured.
MOST = {
    "sliding-ucb": 18,
    "discounted-ucb": 18,
    "sliding-thompson": 110,
    "discounted-thompson": 110,
    "cusum-ucb": 35,
    "m-ucb": 40,
    "glr-kl-ucb": 110,
    "lin-ucb": 230,
    "lin-ts": 230,
    "ridge-epsilon-greedy": 230,
    "logistic-ts": 230,
}
#: Our kernel, and the packages' policies that do the same, with the least ratio of steps a second.
RIVALS = {
    "lin-ucb": {"obp-lin-ucb": 100, "mabwiser-lin-ucb": 1_000},
    "lin-ts": {"mabwiser-lin-ts": 1_000},
    "logistic-ts": {"obp-logistic-ts": 500},
}


@pytest.fixture(scope="module")
def kernels() -> dict[str, tuple[list[float], list[float]]]:
    """Time every kernel in turn with the yardstick, both for one step."""
    moving = drift.abrupt(MOVING, np.random.default_rng(0))
    seen = context.linear(SEEN, np.random.default_rng(0))
    timed = {}
    for params, world, named in ((MOVING, moving, FORGETTING), (SEEN, seen, CONTEXTUAL)):
        steps = params["horizon"] * params["replications"]
        scan = partial(scan_arms, params["horizon"], params["replications"], params["arms"])
        for name, kernel in named.items():
            kernel_s, scan_s = take_turns(partial(kernel, world), scan, turns=5)
            timed[name] = [second / steps for second in kernel_s], [second / steps for second in scan_s]
    return timed


@pytest.mark.parametrize("name", MOST)
def test_kernels_cost_little_more_than_their_steps(
    kernels: dict[str, tuple[list[float], list[float]]], name: str
) -> None:
    """CPU time of one core at 10 arms, and 10 features, beside a pass that only scans the arms."""
    kernel_s, scan_s = kernels[name]
    print(f"\n{name}: {1e-6 / min(kernel_s):.2f} million steps/s")
    check_ratio(f"{name}, a step", kernel_s, "a scan of the arms", scan_s, MOST[name])


@pytest.mark.parametrize("ours", RIVALS)
def test_kernels_leave_packages_behind(kernels: dict[str, tuple[list[float], list[float]]], ours: str) -> None:
    """Steps a second, ours by theirs, in one run on one core."""
    world = context.linear(SMALL, np.random.default_rng(0))
    for theirs, least in RIVALS[ours].items():
        pytest.importorskip(theirs.partition("-")[0])
        strategy = contextual_packages.packages.strategies[theirs]
        (package_s,) = take_turns(partial(strategy.run, Problem(world, SMALL, 0), unmeasured), turns=2)
        step_s = min(package_s) / (SMALL["horizon"] * SMALL["replications"])
        print(f"\n{ours} by {theirs}: {step_s / min(kernels[ours][0]):,.0f}x ({1 / step_s:,.0f} steps/s)")
        assert step_s / min(kernels[ours][0]) >= least
