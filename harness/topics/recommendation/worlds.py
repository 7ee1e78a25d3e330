"""Data sets and scenarios of recommendation: generated feedback with known preferences, cards, and their divisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import CLEAN, Dataset, Generator, Param, Scalar, Scenario, Stress

if TYPE_CHECKING:
    from harness.data.readers.interactions import Interactions
    from harness.topics.recommendation.engine.feedback import Feedback

ENGINE = "harness.topics.recommendation.engine"

PARAMS = {
    "users": Param(2_000, low=10, high=10_000_000, summary="users"),
    "items": Param(1_000, low=10, high=1_000_000, summary="items"),
    "density": Param(0.02, low=1e-6, high=0.25, summary="share of the pairs of a user and an item that interacted"),
    "skew": Param(0.8, low=0.0, high=2.0, summary="exponent of Zipf's law of the items' popularity; 0 is uniform"),
    "drift": Param(0.5, low=0.0, high=1.0, summary="share of tastes and popularity that time replaces"),
    "stay": Param(1.0, low=0.01, high=1.0, summary="share of the time in which one user's interactions are"),
    "dimensions": Param(16, low=1, high=512, summary="dimensions of the true factors"),
}


def synthetic_implicit(params: Mapping[str, Scalar], rng: Generator) -> Feedback:
    """Draw feedback with known preferences; see `engine.synthetic.draw`."""
    from harness.topics.recommendation.engine.protocols import divide, random_holdout
    from harness.topics.recommendation.engine.synthetic import draw

    world = draw(
        rng,
        users=int(params["users"]),
        items=int(params["items"]),
        density=float(params["density"]),
        skew=float(params["skew"]),
        drift=float(params["drift"]),
        dimensions=int(params["dimensions"]),
        stay=float(params["stay"]),
    )
    return divide(world.interactions, random_holdout, rng, features=world.features, preference=world.preference)


SYNTHETIC_IMPLICIT = Dataset(
    "synthetic-implicit",
    synthetic_implicit,
    "Interactions drawn from known factors, with skewed popularity and drift.",
    params=PARAMS,
    provides=("time", "features"),
    needs=(f"{ENGINE}.synthetic", f"{ENGINE}.protocols"),
)


def prepare(interactions: Interactions, _params: Mapping[str, Scalar], rng: Generator) -> Feedback:
    """Divide the interactions of a card; see `engine.cards`."""
    from harness.topics.recommendation.engine.cards import prepared

    return prepared(interactions, rng)


def holdout(data: Feedback, rng: Generator) -> Feedback:
    """Divide the training interactions by the protocol of the scenario, to tune on."""
    from harness.topics.recommendation.engine.protocols import holdout

    return holdout(data, rng)


def _divided_by(protocol: str, summary: str, requires: tuple[str, ...] = ()) -> Scenario:
    """Make the scenario that divides the interactions by a function of `engine.protocols`."""

    def apply(data: Feedback, rng: Generator) -> Feedback:
        from harness.topics.recommendation.engine import protocols

        return protocols.redivide(data, getattr(protocols, protocol), rng)

    return Scenario(protocol, apply, summary, requires)


def noise(share: float) -> Scenario:
    """Add random interactions to training; see `engine.protocols.noise`."""

    def apply(data: Feedback, rng: Generator) -> Feedback:
        from harness.topics.recommendation.engine import protocols

        return protocols.noise(data, share, rng)

    return Scenario(f"noise({share:g})", apply, f"Random interactions are added to training: {100 * share:g} % of it.")


SCENARIOS = (
    _divided_by("temporal", "One moment divides training from testing, for all users.", ("time",)),
    CLEAN,
    _divided_by("user_holdout", "A fifth of the users is not in training; four fifths of their items are known."),
    _divided_by("leave_one_out", "One item of every user is held out, the last one where there are times."),
    _divided_by("cold_users", "A fifth of the users is not in training; at most three of their items are known."),
    _divided_by("cold_items", "A fifth of the items is not in training; they alone are ranked."),
    _divided_by("popularity_shift", "The half of the test items that makes their frequencies most alike."),
    noise(0.1),
)


def _sampled(data: Feedback, level: float, rng: Generator) -> Feedback:
    from harness.topics.recommendation.engine.protocols import sampled

    return sampled(data, level, rng)


SAMPLED = Stress(
    "sampled",
    _sampled,
    levels=(100,),
    axis="sampled items among which one test item is ranked",
    summary="Rankings of one test item among items sampled at random.",
)
