"""Data sets and scenarios of all tasks: worlds with known values of policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness import CLEAN, Dataset, Generator, Param, Scalar, Scenario, Work
from harness.topics._shared import digits as shared

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Logs, Replications

ENGINE = "harness.topics.ope.engine"
# What numba imports when compiled code is first called, which takes 0.2 s: named to be imported before a trial begins.
COMPILED = (
    "numba.cpython.randomimpl",
    "numba.cpython.unicode",
    "numba.np.arraymath",
    "numba.np.npyimpl",
    "scipy.linalg",
)
_POPULATION = "population"  # required by scenarios that change the policy or the rewards of a world

REPLICATIONS = {"replications": Param(100, low=2, summary="independent logs")}
SYNTHETIC = {
    **REPLICATIONS,
    "rounds": Param(1_000, low=10, high=100_000, summary="rounds of a log"),
    "actions": Param(10, low=2, high=1_000, summary="actions to choose from"),
    "temperature": Param(
        1.0,
        low=-5,
        high=5,
        summary="how strongly the logging policy prefers high rewards: 0 is uniform, below 0 it avoids them",
    ),
    "explore": Param(0.2, low=0, high=1, summary="share of rounds in which the target policy chooses at random"),
}
ROUNDS = {"estimate": Work("round", of=("rounds", "replications"))}
CANDIDATES = {"candidates": Param(8, low=2, high=50, summary="policies to choose from")}


def synthetic(params: Mapping[str, Scalar], rng: Generator, *, nonlinear: bool) -> Replications:
    """Make logs of a synthetic population; see `engine.synthetic.population`."""
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
    """Make logs of the digits; each split has different policies."""
    from harness.topics.ope.engine.digits import splits
    from harness.topics.ope.engine.worlds import Replications

    seeds = [int(seed) for seed in rng.integers(2**31, size=int(params["splits"]))]
    return Replications(splits(seeds), int(params["replications"]), _key(rng))


def open_bandit(params: Mapping[str, Scalar], rng: Generator, *, campaign: str) -> Replications:
    """Read the log of the random policy in a campaign, with Thompson sampling as the target."""
    from harness.topics.ope.engine.open_bandit import read
    from harness.topics.ope.engine.worlds import Replications

    return Replications((read(campaign, "random"),), int(params["replications"]), _key(rng))


def verify_open_bandit() -> None:
    """Check the file of the sample against its card."""
    from harness.topics._shared.open_bandit import verify_sample

    verify_sample()


def view(data: Replications) -> Logs:
    """Return what strategies may see: the logs without the true values."""
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
    "The expected reward of each action is linear in the context.",
    # A reward model per action needs enough rounds of each.
    {**SYNTHETIC, "actions": replace(SYNTHETIC["actions"], high=100)},
    nonlinear=False,
)
NONLINEAR = _synthetic(
    "nonlinear-rewards",
    "Expected rewards depend on the context in a way that a linear model cannot learn.",
    SYNTHETIC,
    nonlinear=True,
)
POLICIES = _synthetic(
    "candidate-policies",
    "Nonlinear rewards; each candidate policy knows the rewards less well than the one before.",
    {**SYNTHETIC, **CANDIDATES},
    nonlinear=True,
)
DIGITS = Dataset(
    "digits-bandit",
    digits,
    "Handwritten digits of the data set digits: an action is a class, and pays 1 if it is the class of the image.",
    params={
        **REPLICATIONS,
        "splits": Param(1, low=1, high=100, summary="random splits of the images, each with its policies"),
    },
    provides=(_POPULATION,),
    needs=(
        f"{ENGINE}.digits",
        f"{ENGINE}.judge",
        *shared.MODULES,
        "sklearn.ensemble",
        "sklearn.linear_model",
        "sklearn.model_selection",
    ),
    verify=shared.verify_digits,
    version=shared.version(),
)
OPEN_BANDIT = tuple(
    Dataset(
        f"open-bandit-{campaign}",
        partial(open_bandit, campaign=campaign),
        f"Sample of the Open Bandit Dataset, campaign {campaign}: log of random, target Thompson sampling.",
        params=REPLICATIONS,
        needs=(f"{ENGINE}.open_bandit", f"{ENGINE}.judge", "pandas", "pyarrow.dataset", "pyarrow.parquet"),
        verify=verify_open_bandit,
    )
    for campaign in ("all", "men", "women")
)


def heavy_weights(strength: float) -> Scenario:
    """Make the logging policy avoid actions with high rewards."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.heavy_weights(data, strength)

    return Scenario(
        f"heavy_weights({strength:g})",
        apply,
        "The logging policy avoids actions with high rewards.",
        requires=(_POPULATION,),
    )


def wrong_propensities(share: float) -> Scenario:
    """Make the log overstate how often the logging policy explores."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.wrong_propensities(data, share)

    return Scenario(
        f"wrong_propensities({share:g})",
        apply,
        f"The log overstates exploration: its propensities are mixed with {100 * share:g} % of uniform ones.",
        requires=(_POPULATION,),
    )


def missing_support(share: float) -> Scenario:
    """Make the logging policy never take a share of the actions."""

    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.missing_support(data, share, rng)

    return Scenario(
        f"missing_support({share:g})",
        apply,
        f"The logging policy never takes {100 * share:g} % of the actions.",
        requires=(_POPULATION,),
    )


def drift(share: float) -> Scenario:
    """Make rewards change during the log."""

    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.drift(data, share, rng)

    return Scenario(
        f"drift({share:g})",
        apply,
        f"Rewards change during the log: at its start {100 * share:g} % of them are those of other actions.",
        requires=(_POPULATION,),
    )


def noisy_rewards(by: float) -> Scenario:
    """Add noise to every reward."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.noisy_rewards(data, by)

    return Scenario(f"noisy_rewards({by:g})", apply, f"{by:g} is added to or subtracted from every reward, at random.")


def unobserved_features(count: int) -> Scenario:
    """Remove features of the actions on which rewards depend from the log."""

    def apply(data: Replications, _rng: Generator) -> Replications:
        from harness.topics.ope.engine import synthetic

        return synthetic.unobserved_features(data, count)

    return Scenario(
        f"unobserved_features({count})",
        apply,
        f"The log lacks {count} features of the actions on which rewards depend.",
        requires=(_POPULATION,),
    )


HEAVY = heavy_weights(3.0)
SCENARIOS = (
    CLEAN,
    HEAVY,
    wrong_propensities(0.3),
    missing_support(0.2),
    drift(0.5),
    noisy_rewards(1.0),
)
