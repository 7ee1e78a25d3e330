"""Data sets and scenarios of all tasks: worlds whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness import CLEAN, Dataset, Generator, Param, Scalar, Scenario, Work

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Logs, Replications

ENGINE = "harness.topics.ope.engine"
# What numba imports when compiled code is first called, 0.2 s: named so that it is there before a trial begins.
COMPILED = (
    "numba.cpython.randomimpl",
    "numba.cpython.unicode",
    "numba.np.arraymath",
    "numba.np.npyimpl",
    "scipy.linalg",
)
_POPULATION = "population"  # what a scenario requires that changes the policy or the rewards of a world

REPLICATIONS = {"replications": Param(100, low=2, summary="logs drawn independently of each other")}
SYNTHETIC = {
    **REPLICATIONS,
    "rounds": Param(1_000, low=10, high=100_000, summary="rounds of a log"),
    "actions": Param(10, low=2, high=1_000, summary="actions to choose from"),
    "temperature": Param(
        1.0,
        low=-5,
        high=5,
        summary="how the logging policy follows expected rewards: 0 is uniform, below 0 it shuns what pays",
    ),
    "explore": Param(0.2, low=0, high=1, summary="share of rounds in which the target policy chooses at random"),
}
ROUNDS = {"estimate": Work("round", of=("rounds", "replications"))}
CANDIDATES = {"candidates": Param(8, low=2, high=50, summary="policies to choose from")}


def synthetic(params: Mapping[str, Scalar], rng: Generator, *, nonlinear: bool) -> Replications:
    """Make a population and replications of its logs; see `engine.synthetic.population`."""
    from harness.topics.ope.engine.synthetic import population
    from harness.topics.ope.engine.worlds import Replications

    world = population(
        rng,
        actions=int(params["actions"]),
        rounds=int(params["rounds"]),
        temperature=float(params["temperature"]),
        explore=float(params["explore"]),
        nonlinear=nonlinear,
        candidates=int(params.get("candidates", 1)),
    )
    return Replications((world,), int(params["replications"]), _key(rng))


def digits(params: Mapping[str, Scalar], rng: Generator) -> Replications:
    """Make the splits of the digits, each with policies of its own."""
    from harness.topics.ope.engine.digits import splits
    from harness.topics.ope.engine.worlds import Replications

    seeds = [int(seed) for seed in rng.integers(2**31, size=int(params["splits"]))]
    return Replications(splits(seeds), int(params["replications"]), _key(rng))


def open_bandit(params: Mapping[str, Scalar], rng: Generator, *, campaign: str) -> Replications:
    """Read random's log of a campaign, with Thompson sampling as the target."""
    from harness.topics.ope.engine.open_bandit import read
    from harness.topics.ope.engine.worlds import Replications

    return Replications((read(campaign, "random"),), int(params["replications"]), _key(rng))


def verify_open_bandit() -> None:
    """Check the sample's file against its card."""
    from harness.topics._shared.open_bandit import card_file

    card_file()


def view(data: Replications) -> Logs:
    """Return what strategies may see: the logs without the truth."""
    from harness.topics.ope.engine import worlds

    return worlds.view(data)


def _key(rng: Generator) -> int:
    return int(rng.integers(2**62))


def _synthetic(name: str, summary: str, params: Mapping[str, Param], *, nonlinear: bool) -> Dataset:
    return Dataset(
        name,
        partial(synthetic, nonlinear=nonlinear),
        summary,
        params=params,
        provides=(_POPULATION,),
        needs=(f"{ENGINE}.synthetic", f"{ENGINE}.judge", "scipy.stats"),
    )


LINEAR = _synthetic(
    "linear-rewards",
    "Expected rewards are linear in the context of each action.",
    # A model for each action needs rounds of each.
    {**SYNTHETIC, "actions": replace(SYNTHETIC["actions"], high=100)},
    nonlinear=False,
)
NONLINEAR = _synthetic(
    "nonlinear-rewards", "A linear model sees nothing of how rewards depend on the context.", SYNTHETIC, nonlinear=True
)
POLICIES = _synthetic(
    "candidate-policies",
    "Policies that know the rewards the worse the higher their number, on nonlinear rewards.",
    {**SYNTHETIC, **CANDIDATES},
    nonlinear=True,
)
DIGITS = Dataset(
    "digits-bandit",
    digits,
    "scikit-learn's handwritten digits: an action is a class, and pays 1 where it is the right one.",
    params={**REPLICATIONS, "splits": Param(1, low=1, high=100, summary="splits into images to fit on and to log")},
    provides=(_POPULATION,),
    needs=(
        f"{ENGINE}.digits",
        f"{ENGINE}.judge",
        "sklearn.datasets",
        "sklearn.ensemble",
        "sklearn.linear_model",
        "sklearn.model_selection",
    ),
)
OPEN_BANDIT = tuple(
    Dataset(
        f"open-bandit-{campaign}",
        partial(open_bandit, campaign=campaign),
        f"Open Bandit Dataset's sample, campaign {campaign}: random's log, for Thompson sampling.",
        params=REPLICATIONS,
        needs=(f"{ENGINE}.open_bandit", f"{ENGINE}.judge", "pandas", "pyarrow.dataset", "pyarrow.parquet"),
        verify=verify_open_bandit,
    )
    for campaign in ("all", "men", "women")
)


def heavy_weights(strength: float) -> Scenario:
    """Make the logging policy shun what pays."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import stresses

        return stresses.heavy_weights(data, strength)

    return Scenario(
        f"heavy_weights({strength:g})", apply, "The logging policy shuns what pays.", requires=(_POPULATION,)
    )


def wrong_propensities(share: float) -> Scenario:
    """Make the log state a policy that explores more than the one that ran."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import stresses

        return stresses.wrong_propensities(data, share)

    return Scenario(
        f"wrong_propensities({share:g})",
        apply,
        f"The log states {100 * share:g} % more exploration than there was.",
        requires=(_POPULATION,),
    )


def missing_support(share: float) -> Scenario:
    """Make the logging policy never take a share of the actions."""

    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.ope.engine import stresses

        return stresses.missing_support(data, share, rng)

    return Scenario(
        f"missing_support({share:g})",
        apply,
        f"{100 * share:g} % of the actions are never taken in the log.",
        requires=(_POPULATION,),
    )


def drift(share: float) -> Scenario:
    """Make rewards move while the log is taken."""

    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.ope.engine import stresses

        return stresses.drift(data, share, rng)

    return Scenario(
        f"drift({share:g})",
        apply,
        f"{100 * share:g} % of the rewards are another action's when the log begins, none when the target runs.",
        requires=(_POPULATION,),
    )


def noisy_rewards(by: float) -> Scenario:
    """Move every reward up or down at random."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import stresses

        return stresses.noisy_rewards(data, by)

    return Scenario(f"noisy_rewards({by:g})", apply, f"Every reward is moved by {by:g}, up or down at random.")


HEAVY = heavy_weights(3.0)
SCENARIOS = (
    CLEAN,
    HEAVY,
    wrong_propensities(0.3),
    missing_support(0.2),
    drift(0.5),
    noisy_rewards(1.0),
)
