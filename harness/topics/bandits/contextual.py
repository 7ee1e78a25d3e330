"""The task contextual: the reward of an arm depends on a context that the policy sees before it chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Dataset, Generator, Judgement, Param, Profile, Scalar, Scenario
from harness.data import columns
from harness.topics._shared import digits
from harness.topics.bandits import topic
from harness.topics.bandits.stationary import METRICS, PARAMS, REGRET, STEPS, batch

if TYPE_CHECKING:
    from harness.topics.bandits.engine.world import World

CONTEXT = "harness.topics.bandits.engine.context"
FEATURES = {"features": Param(10, low=2, high=1_000, summary="numbers in a context, including the constant 1")}
PIXELS = {
    "features": Param(
        10, low=2, high=65, summary="numbers in a context: the constant 1 and the first principal components"
    )
}
SIZES = {
    "horizon": PARAMS["horizon"],
    "replications": Param(50, low=2, summary="independent repetitions"),
    "arms": PARAMS["arms"],
}


def _made(name: str) -> Callable[[Mapping[str, Scalar], Generator], World]:
    """Return a loader that calls a function of the engine, which is imported only then."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> World:
        from harness.topics.bandits.engine import context

        made: World = getattr(context, name)(params, rng)
        return made

    return load


def _verify_flights() -> None:
    from harness.data.cards import builtin_card
    from harness.data.files import check

    check(builtin_card("flights"))


def _exactly(arms: int) -> dict[str, Param]:
    return {"arms": Param(arms, low=arms, high=arms, summary="classes")}


def _swapped(world: World, rng: Generator) -> World:
    from harness.topics.bandits.engine import context

    return context.swapped(world, rng)


def judge(world: World, actions: Any) -> Judgement:
    """Judge regret against the best arm of each context."""
    from harness.topics.bandits.engine import judge as judges

    return judges.judge(world, actions)


LINEAR = Dataset(
    "linear-contexts",
    _made("linear"),
    "Arms pay 1 with a probability that is linear in the context.",
    {**SIZES, **FEATURES},
    needs=(CONTEXT,),
)
DIGITS = Dataset(
    "digits-contexts",
    _made("digits"),
    "Which digit is it? 1,797 images of the data set digits.",
    {**SIZES, **_exactly(10), **PIXELS},
    needs=(CONTEXT, *digits.MODULES),
    verify=digits.verify_digits,
    version=digits.version(),
)
FLIGHTS = Dataset(
    "flights-contexts",
    _made("flights"),
    "Is a flight late? 20,000 rows of the data set flights.",
    {
        **SIZES,
        **_exactly(2),
        "features": Param(10, low=10, high=10, summary="the columns of flights and the constant 1"),
    },
    needs=(CONTEXT, *columns.MODULES),
    verify=_verify_flights,
)
DRIFT = Scenario("drift", _swapped, "At half of the horizon the arms swap their rewards.")

contextual = topic.task(
    "contextual",
    title="Regret of policies that see a context before choosing",
    datasets=[
        LINEAR,
        Dataset(
            "logistic-contexts",
            _made("logistic"),
            "Arms pay 1 with a probability that is a logistic function of the context.",
            {**SIZES, **FEATURES},
            needs=(CONTEXT,),
        ),
        DIGITS,
        FLIGHTS,
    ],
    scenarios=[CLEAN, DRIFT, batch(100)],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=METRICS,
    judge=judge,
    params={**SIZES, **FEATURES},
    work=STEPS,
    sweep={"features": [5, 20]},
    reference="lin-ucb",
    baseline="random",
    charts=[REGRET],
    quick=Profile(
        3,
        {"horizon": 1_000, "replications": 20},
        datasets=("linear-contexts",),
        scenarios=("clean",),
        strategies=("random", "thompson-beta", "lin-ucb"),
    ),
    full=Profile(10, sweeps=True),
)
