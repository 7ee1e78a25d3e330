"""Exponential weights: kernels against their definition in numpy, and against their bounds."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics.bandits import adversarial, stationary
from harness.topics.bandits.engine.judge import regret
from harness.topics.bandits.engine.kernels import exponential
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.world import World, uniforms

KEY = np.uint64(99)
SIZES: Any = {"horizon": 400, "replications": 12, "arms": 5, "spread": 0.4}
FEEDBACK: list[dict[str, Any]] = [{}, {"delay": 30}, {"batch": 20}, {"delay": 7, "batch": 5}]
RATES = [(0.05, 0.0), (0.5, 0.0), (0.05, 1e-3), (0.3, 0.05)]


class Weights:
    """EXP3, and EXP3.S for an alpha above 0, in numpy; logarithms of weights, with the draws of the kernels."""

    def __init__(self, made: World, gamma: float, alpha: float) -> None:
        self.logs = np.zeros((made.replications, made.arms))
        self.gamma, self.alpha = gamma, alpha
        self.chosen: list[Any] = []  # probability of what was chosen at each step: rewards may come late
        self.places = np.arange(made.replications)

    def choose(self, step: int, _: Any) -> Any:
        weights, arms = np.exp(self.logs), self.logs.shape[1]
        chances = (1 - self.gamma) * weights / weights.sum(axis=1, keepdims=True) + self.gamma / arms
        heights = chances.cumsum(axis=1)
        chosen = (heights <= uniforms(KEY, step, self.places, 0)[:, None] * heights[:, -1:]).sum(axis=1)
        self.chosen.append(chances[self.places, chosen])
        return chosen

    def update(self, step: int, arms: Any, rewards: Any, _: Any) -> None:
        count, before = self.logs.shape[1], np.exp(self.logs).sum(axis=1, keepdims=True)
        self.logs[self.places, arms] += self.gamma / count * rewards / self.chosen[step]
        if self.alpha:
            self.logs = np.log(np.exp(self.logs) + math.e * self.alpha / count * before)
        self.logs -= self.logs.max(axis=1, keepdims=True)


def world(kind: str = "bernoulli", **changes: Any) -> World:
    fields = {name: changes.pop(name) for name in ("delay", "batch") if name in changes}
    made: World = getattr(stationary, kind)(SIZES | changes, np.random.default_rng(0))
    return replace(made, **fields)


def played(made: World, gamma: float, alpha: float) -> Any:
    return exponential.exp3_s(made, gamma, alpha, KEY) if alpha else exponential.exp3(made, gamma, KEY)


def chosen(name: str, made: World) -> Any:
    return getattr(adversarial, name)(Problem(made, SIZES, 0), unmeasured)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
@pytest.mark.parametrize(("gamma", "alpha"), RATES)
def test_kernels_follow_their_definition(feedback: dict[str, Any], kind: str, gamma: float, alpha: float) -> None:
    made = world(kind, **feedback)
    np.testing.assert_array_equal(played(made, gamma, alpha), play(made, Weights(made, gamma, alpha)))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_weights_that_floats_cannot_hold_are_scaled_anew(sign: int, alpha: float) -> None:
    """Rewards of 40 or -40 make a weight of e^1000 or e^-1000 in a few steps; at half of the horizon signs change."""
    means = sign * np.array([[[40.0, 39.0, 1.0]], [[-40.0, 0.0, 1.0]]])
    made = World(means, np.repeat(np.arange(2), 200), 8, np.uint64(3), sigma=1.0)
    actions = played(made, 0.3, alpha)
    np.testing.assert_array_equal(actions, play(made, Weights(made, 0.3, alpha)))
    assert len(np.unique(actions)) == 3


def test_regret_is_that_of_the_definition_with_other_draws() -> None:
    made = world(horizon=500, replications=60)
    for gamma, alpha in RATES[:1] + RATES[2:3]:
        kernel = regret(made, played(made, gamma, alpha)).sum(axis=0)
        plain = regret(made, play(made, _Other(made, gamma, alpha))).sum(axis=0)
        assert stats.ttest_rel(kernel, plain).pvalue > 0.01


class _Other(Weights):
    """The definition with numpy's own choice of an arm."""

    def choose(self, step: int, _: Any) -> Any:
        rng = np.random.default_rng(step)
        weights, arms = np.exp(self.logs), self.logs.shape[1]
        chances = (1 - self.gamma) * weights / weights.sum(axis=1, keepdims=True) + self.gamma / arms
        chosen = np.array([rng.choice(arms, p=own) for own in chances])
        self.chosen.append(chances[self.places, chosen])
        return chosen


@pytest.mark.parametrize("alpha", [0.0, 0.01])
def test_arms_without_reward_are_chosen_alike(alpha: float) -> None:
    made = World(np.zeros((1, 1, 4)), np.zeros(2_000, dtype=np.int64), 5, np.uint64(1))
    counts = np.bincount(played(made, 0.1, alpha).ravel(), minlength=4)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_gamma_of_one_is_chance_alone() -> None:
    counts = np.bincount(played(world(horizon=2_000), 1.0, 0.0).ravel())
    assert stats.chisquare(counts).pvalue > 1e-3


def test_sharing_weight_follows_a_change() -> None:
    """Where the best arm becomes the worst EXP3.S leaves it sooner than EXP3."""
    means = np.array([[[0.9, 0.1, 0.1]], [[0.1, 0.9, 0.1]]])
    made = World(means, np.repeat(np.arange(2), 2_000), 20, np.uint64(2), changes=(2_000,))
    share = [(played(made, 0.1, alpha)[-1_000:] == 1).mean() for alpha in (0.0, 1 / 4_000)]
    assert share[0] < 0.5 < share[1]


@pytest.mark.parametrize("name", ["exp3", "exp3_s"])
def test_exponential_weights_learn_and_stay_below_their_bound(name: str) -> None:
    made = world(horizon=3_000, arms=3, spread=0.6)
    lost = regret(made, chosen(name, made)).sum(axis=0).mean()
    # Auer et al. 2002: EXP3 at a known horizon, and corollary 8.3 with five switches.
    hardness = {"exp3": 3 * math.log(3), "exp3_s": 3 * (6 * math.log(9_000) + math.e)}[name]
    assert lost < 2 * math.sqrt((math.e - 1) * 3_000 * hardness)
    assert lost < 0.8 * 3_000 * 0.3
