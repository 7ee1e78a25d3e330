"""Facts about the speed of bandits: steps a second beside obp and MABWiser, as ratios within one run.

One thread, 10 arms, rewards of 1 or 0, 10,000 steps of our kernels over 200 replications and fewer of the packages,
which play one by one. Run with ``make facts``. A kernel's yardstick is the least that playing needs: a compiled pass
that scans all arms in every step and adds the reward of one. Limits are ratios within one run; steps a second are
printed.
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
#: The most time of a kernel, in passes of the yardstick: 2 to 3 times what was measured.
MOST = {
    "epsilon-greedy": 15,
    "ucb1": 15,
    "ucb-tuned": 20,
    "moss": 15,
    "kl-ucb": 65,
    "thompson-beta": 130,
    "exp3": 25,
    "exp3-s": 30,
}


def _world(params: dict[str, Any]) -> World:
    return stationary.bernoulli(params, np.random.default_rng(0))


@pytest.fixture(scope="module")
def kernels() -> dict[str, tuple[list[float], list[float]]]:
    """Time every kernel in turn with the yardstick."""
    world = _world(LARGE)
    timed = {}
    for name, kernel in KERNELS.items():
        scan = partial(scan_arms, LARGE["horizon"], LARGE["replications"], LARGE["arms"])
        kernel_s, scan_s = take_turns(partial(kernel, world), scan, turns=5)
        timed[name] = kernel_s, scan_s
    return timed


@pytest.mark.parametrize("name", MOST)
def test_kernels_cost_little_more_than_their_steps(
    kernels: dict[str, tuple[list[float], list[float]]], name: str
) -> None:
    """CPU time of one core at 10 arms, beside a pass that only scans the arms."""
    kernel_s, scan_s = kernels[name]
    steps = LARGE["horizon"] * LARGE["replications"]
    print(f"\n{name}: {steps / min(kernel_s) / 1e6:.2f} million steps/s")
    check_ratio(name, kernel_s, "a scan of the arms in every step", scan_s, MOST[name])


@pytest.mark.parametrize("ours", RIVALS)
def test_kernels_leave_packages_behind(kernels: dict[str, tuple[list[float], list[float]]], ours: str) -> None:
    """Steps a second, ours by theirs, in one run on one core."""
    world = _world(SMALL)
    speed = LARGE["horizon"] * LARGE["replications"] / min(kernels[ours][0])
    for theirs, least in RIVALS[ours].items():
        pytest.importorskip(theirs.partition("-")[0])
        strategy = packages.task.strategies[theirs]
        (package_s,) = take_turns(partial(strategy.run, Problem(world, SMALL, 0), unmeasured), turns=2)
        package_speed = SMALL["horizon"] * SMALL["replications"] / min(package_s)
        print(f"\n{ours} by {theirs}: {speed / package_speed:,.0f}x ({package_speed:,.0f} steps/s)")
        assert speed / package_speed >= least
