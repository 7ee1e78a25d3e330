"""Facts about the speed of bandits: steps a second beside obp and MABWiser, as ratios within one run.

One thread, 10 arms, rewards of 1 or 0, 10,000 steps of our kernels over 200 replications and fewer of the packages,
which play one by one. Run with ``make facts``. The limits are those of the issue that asked for the engine, and half of
what was measured where it has none; figures are printed.
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
from harness.topics.bandits import packages, stationary
from harness.topics.bandits.engine.kernels import exponential, greedy, index, kl, thompson, tuned
from harness.topics.bandits.engine.world import World

KEY = np.uint64(1)
LARGE: dict[str, Any] = {"horizon": 10_000, "replications": 200, "arms": 10, "spread": 0.5}
SMALL = LARGE | {"horizon": 500, "replications": 4}
KERNELS: dict[str, Callable[[World], Any]] = {
    "random": lambda world: greedy.epsilon_greedy(world, np.ones(world.horizon), KEY),
    "epsilon-greedy": lambda world: greedy.epsilon_greedy(world, np.full(world.horizon, 0.1), KEY),
    "ucb1": lambda world: index.ucb1(world, 2.0),
    "ucb-tuned": tuned.ucb_tuned,
    "moss": lambda world: index.moss(world, world.horizon),
    "kl-ucb": lambda world: kl.kl_ucb(world, 0.0),
    "thompson-beta": lambda world: thompson.thompson_beta(world, KEY),
    "thompson-gaussian": lambda world: thompson.thompson_gaussian(world, 0.5, KEY),
    "exp3": lambda world: exponential.exp3(world, 0.036, KEY),
    "exp3-s": lambda world: exponential.exp3_s(world, 0.18, 1 / world.horizon, KEY),
}
#: Our kernel, and the packages' policies that do the same, with the least ratio of steps a second.
RIVALS = {
    "epsilon-greedy": {"obp-epsilon-greedy": 100, "mabwiser-epsilon-greedy": 500},
    "ucb1": {"mabwiser-ucb1": 500},
    "thompson-beta": {"obp-bernoulli-ts": 25, "mabwiser-thompson": 100},
}
#: Steps a second and core.
LEAST = {
    "epsilon-greedy": 15e6,
    "ucb1": 15e6,
    "ucb-tuned": 10e6,
    "moss": 15e6,
    "kl-ucb": 2e6,
    "thompson-beta": 1.3e6,
    "exp3": 6e6,
    "exp3-s": 6e6,
}


def _world(params: dict[str, Any]) -> World:
    return stationary.bernoulli(params, np.random.default_rng(0))


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
    world = _world(LARGE)
    speeds = {}
    for name, kernel in KERNELS.items():
        speeds[name] = _speed(partial(kernel, world))
        print(f"\n{name}: {speeds[name] / 1e6:.2f} million steps/s")
    return speeds


@pytest.mark.parametrize("name", LEAST)
def test_kernels_reach_their_speed(kernels: dict[str, float], name: str) -> None:
    """Steps a second and core at 10 arms."""
    assert kernels[name] >= LEAST[name]


@pytest.mark.parametrize("ours", RIVALS)
def test_kernels_leave_packages_behind(kernels: dict[str, float], ours: str) -> None:
    """Steps a second, ours by theirs, in one run on one core."""
    world = _world(SMALL)
    for theirs, least in RIVALS[ours].items():
        pytest.importorskip(theirs.partition("-")[0])
        strategy = packages.task.strategies[theirs]
        speed = _speed(partial(strategy.run, Problem(world, SMALL, 0), unmeasured), 2)
        print(f"\n{ours} by {theirs}: {kernels[ours] / speed:,.0f}x ({speed:,.0f} steps/s)")
        assert kernels[ours] / speed >= least
