"""The task contextual-packages: contextual policies of obp and MABWiser compared with ours, at a small size."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import CLEAN, Profile
from harness.topics.bandits import linear, topic
from harness.topics.bandits.baselines import Floats, Ints
from harness.topics.bandits.contextual import DIGITS, FEATURES, LINEAR, SIZES, judge
from harness.topics.bandits.packages import ALIKE
from harness.topics.bandits.stationary import REGRET, STEPS

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.play import Actions
    from harness.topics.bandits.engine.world import World

PLAY = "harness.topics.bandits.engine.play"
OBP = ("obp.policy", PLAY)
MABWISER = ("mabwiser.mab", PLAY)

packages = topic.task(
    "contextual-packages",
    title="The same contextual policies in obp and MABWiser, at a size that they can play",
    datasets=[LINEAR, DIGITS],
    scenarios=[CLEAN],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=ALIKE,
    judge=judge,
    params={**SIZES, **FEATURES},
    work=STEPS,
    reference="lin-ucb",
    charts=[REGRET],
    quick=Profile(
        10,
        {"horizon": 100, "replications": 2},
        datasets=("linear-contexts",),
        strategies=("lin-ucb", "obp-lin-ucb", "mabwiser-lin-ucb"),
    ),
    full=Profile(5, {"horizon": 1_000, "replications": 4}),
)
packages.strategy("lin-ucb", needs=linear.ENGINE)(linear.lin_ucb)
packages.strategy("lin-ts", needs=linear.ENGINE)(linear.lin_ts)
packages.strategy("logistic-ts", needs=linear.ENGINE)(linear.logistic_ts)


class _Obp:
    """Policies of obp, one per replication."""

    def __init__(self, world: World, make: Callable[..., Any], seed: int, lowest: float) -> None:
        seeds = np.random.default_rng(seed).integers(2**31, size=world.replications).tolist()
        assert world.features is not None
        many = world.features.shape[1]
        self._policies = [make(dim=many, n_actions=world.arms, random_state=each) for each in seeds]
        self._lowest = lowest

    def choose(self, _step: int, contexts: Any) -> Ints:
        """Return an arm for each replication."""
        chosen = [
            policy.select_action(context[None])[0] for policy, context in zip(self._policies, contexts, strict=True)
        ]
        return np.array(chosen, dtype=np.int64)

    def update(self, _step: int, arms: Ints, rewards: Floats, contexts: Any) -> None:
        """Pass the rewards of a step to the policies."""
        for policy, arm, reward, context in zip(self._policies, arms.tolist(), rewards, contexts, strict=True):
            policy.update_params(arm, float(reward) or self._lowest, context[None])


class _MABWiser:
    """Policies of MABWiser, one per replication."""

    def __init__(self, world: World, policy: Any, seed: int) -> None:
        from mabwiser.mab import MAB

        seeds = np.random.default_rng(seed).integers(2**31, size=world.replications).tolist()
        self._mabs = [MAB(list(range(world.arms)), policy, seed=each) for each in seeds]
        self._fitted = False
        self._arms = world.arms

    def choose(self, step: int, contexts: Any) -> Ints:
        """Return an arm for each replication; before the first reward the arms take turns."""
        if not self._fitted:
            return np.full(len(self._mabs), step % self._arms)
        chosen = [mab.predict(context[None]) for mab, context in zip(self._mabs, contexts, strict=True)]
        return np.array(chosen, dtype=np.int64)

    def update(self, _step: int, arms: Ints, rewards: Floats, contexts: Any) -> None:
        """Pass the rewards of a step to the policies."""
        for mab, arm, reward, context in zip(self._mabs, arms.tolist(), rewards.tolist(), contexts, strict=True):
            learn = mab.partial_fit if self._fitted else mab.fit
            learn([arm], [reward], context[None])
        self._fitted = True


def _obp(problem: Problem, phase: PhaseClock, make: Callable[..., Any], lowest: float = 0.0) -> Actions:
    from harness.topics.bandits.engine.play import measure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # obp uses a deprecated part of scipy
        return measure(problem, phase, lambda world: _Obp(world, make, problem.seed, lowest))


@packages.strategy("obp-lin-ucb", needs=OBP)
def obp_lin_ucb(problem: Problem, phase: PhaseClock, alpha: float = 0.5) -> Actions:
    """Play obp.policy.LinUCB of the Open Bandit Pipeline (Saito et al. 2021)."""
    from obp.policy import LinUCB

    return _obp(problem, phase, lambda **fields: LinUCB(epsilon=alpha, **fields))


@packages.strategy(
    "obp-logistic-ts",
    needs=OBP,
    sweep={"signed": [True]},
    note=(
        "Its loss expects the classes -1 and 1, but the simulator of obp passes rewards of 0 and 1, and a reward of 0 "
        "does not move the mode. With signed it gets -1 instead of 0. Its standard deviation is 1 / q instead of "
        "1 / sqrt(q), and all arms draw the same noise, because they share one seed."
    ),
)
def obp_logistic_ts(problem: Problem, phase: PhaseClock, *, signed: bool = False) -> Actions:
    """Play obp.policy.LogisticTS of the Open Bandit Pipeline (Saito et al. 2021)."""
    from obp.policy import LogisticTS

    return _obp(problem, phase, LogisticTS, -1.0 if signed else 0.0)


@packages.strategy(
    "mabwiser-lin-ucb",
    needs=MABWISER,
    note="Until the first reward the arms take turns, as MABWiser cannot choose yet.",
)
def mabwiser_lin_ucb(problem: Problem, phase: PhaseClock, alpha: float = 0.5) -> Actions:
    """Play LearningPolicy.LinUCB of MABWiser (Strong, Kleynhans & Kadioglu 2019)."""
    from mabwiser.mab import LearningPolicy

    return _mabwiser(problem, phase, LearningPolicy.LinUCB(alpha=alpha, l2_lambda=1.0))


@packages.strategy(
    "mabwiser-lin-ts", needs=MABWISER, note="Until the first reward the arms take turns, as MABWiser cannot choose yet."
)
def mabwiser_lin_ts(problem: Problem, phase: PhaseClock, scale: float = 0.25) -> Actions:
    """Play LearningPolicy.LinTS of MABWiser (Strong, Kleynhans & Kadioglu 2019)."""
    from mabwiser.mab import LearningPolicy

    return _mabwiser(problem, phase, LearningPolicy.LinTS(alpha=scale, l2_lambda=1.0))


def _mabwiser(problem: Problem, phase: PhaseClock, policy: Any) -> Actions:
    from harness.topics.bandits.engine.play import measure

    return measure(problem, phase, lambda world: _MABWiser(world, policy, problem.seed))
