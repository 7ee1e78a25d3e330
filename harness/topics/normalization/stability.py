"""The task stability: the loss after training at each of several learning rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import CLEAN, Chart, Curve, InvalidOutputError, Judgement, Metric, Param, Profile, Takes, Work
from harness.topics.normalization import budget, corpus, counts, topic
from harness.topics.normalization.corpus import Corpus
from harness.topics.normalization.learned import Floats, losses_of, training_curve
from harness.topics.normalization.recipes import Recipe, compete

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

RATES = {
    "lowest": Param(1e-3, low=1e-8, high=10.0, summary="lowest learning rate"),
    "highest": Param(3e-2, low=1e-8, high=10.0, summary="highest learning rate"),
    "rates": Param(4, low=2, high=100, summary="learning rates, at equal ratios between the two"),
}
STEPS = Param(100, low=1, summary="steps of training at each rate")


@dataclass(frozen=True, eq=False)
class Attempt:
    """Training at one learning rate.

    Attributes
    ----------
    scored
        Log-probabilities of the next characters of the test text after it, float32, shape (windows, context, size);
        ``None`` where training diverged.
    losses
        Training loss of each step, in nats, up to the last finite one.
    diverged
        The step at which a number was not finite; ``None`` where all were.
    """

    rate: float
    scored: Floats | None
    losses: Sequence[float] = ()
    diverged: int | None = None


def judge(data: Corpus, output: Any) -> Judgement:
    """Judge the test loss over learning rates.

    The sensitivity to the rate is the mean over rates of min(loss, l0) minus the lowest loss (Wortsman et al. 2023,
    arXiv 2309.14322, section 2). There l0 is the loss of the untrained model; here it is that of equal
    probabilities, the same for all strategies, as models without a norm begin with a larger one. Training that diverged
    has the loss l0.

    Parameters
    ----------
    output
        A list of `Attempt`, in rising order of their rates.

    Raises
    ------
    InvalidOutputError
        When it is not, or the log-probabilities of one are wrong; see `losses_of`.
    """
    if not isinstance(output, list) or not output or not all(isinstance(one, Attempt) for one in output):
        raise InvalidOutputError(
            f"expected a list of Attempt, one for each learning rate, not a {type(output).__name__}"
        )
    most, unigram = float(np.log(data.size)), counts.unigram_loss(data)
    rates = [one.rate for one in output]
    losses = np.array([most if one.scored is None else float(losses_of(data, one.scored).mean()) for one in output])
    diverged = np.array([one.diverged is not None for one in output])
    counted = np.minimum(losses, most)
    return Judgement(
        metrics={
            "best_loss": float(counted.min()),
            "highest_loss": float(counted[-1]),
            "sensitivity": float(counted.mean() - counted.min()),
            "failed": float(np.mean(diverged | (losses > unigram))),
            "diverged_rates": float(diverged.mean()),
        },
        curves={
            "loss": Curve(rates, counted.tolist()),
            "unigram": Curve(rates, [unigram] * len(rates)),
            "steps": Curve(rates, [float(len(one.losses)) for one in output]),
            **training_curve("training", output[-1].losses),
        },
        n={"failed": len(rates), "diverged_rates": len(rates)},
    )


task = topic.task(
    "stability",
    title="Training at learning rates from low to high: which losses, and which failures",
    datasets=["kjv"],
    takes=Takes("text", prepare=corpus.prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN],
    phases=["train", "predict"],
    metrics=[
        Metric(
            "best_loss",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary="Test loss of a character at the best of the learning rates.",
        ),
        Metric(
            "highest_loss",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary="Test loss at the highest learning rate; at most that of equal probabilities.",
        ),
        Metric(
            "sensitivity",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary="Mean test loss over the learning rates minus the lowest; losses count up to equal probabilities.",
        ),
        Metric(
            "failed",
            direction="lower",
            unit="1",
            rate=True,
            summary="Share of the learning rates at which training diverged or ended above the loss of unigram counts.",
        ),
        Metric(
            "diverged_rates",
            direction="lower",
            unit="1",
            rate=True,
            summary="Share of the learning rates at which a number was not finite.",
        ),
    ],
    judge=judge,
    view=corpus.visible,
    params={**corpus.PARAMS, **budget.PARAMS, **RATES, "steps": STEPS},
    sweep={"warmup": [50], "layers": [12]},
    work={"train": Work("step", of=("steps", "rates"))},
    reference="pre-ln",
    baseline="unigram",
    charts=[
        Chart(
            "loss",
            title="Loss against learning rate",
            x="learning rate",
            y="test loss, nat",
            log_x=True,
            reading="A robust recipe has a flat line. At or above the dashed line, training was of no use. A run that "
            "diverged has the loss of equal probabilities.",
            limit="unigram",
            limit_title="unigram counts",
        ),
        Chart(
            "steps",
            title="Steps before training diverged",
            x="learning rate",
            y="steps with finite numbers",
            log_x=True,
            reading="A line below the number of steps shows divergence.",
        ),
        Chart(
            "training",
            title="Training loss at the highest learning rate",
            x="step",
            y="training loss, nat",
            reading="Means of stretches of steps; a line ends where training diverged.",
        ),
    ],
    quick=Profile(
        3,
        {"layers": 2, "steps": 60, "rows": 2_000, "rates": 2},
        strategies=("unigram", "post-ln", "pre-ln"),
    ),
    full=Profile(3, sweeps=True),
)


def _run(problem: Problem, phase: PhaseClock, recipe: Recipe, device: str) -> list[Attempt]:
    from harness.topics._shared.deep import seeded
    from harness.topics.normalization.engine import learning

    data, params = problem.data, problem.params
    trained = []
    with phase("train"):
        for rate in _rates(problem):
            seeded(problem.seed)  # the same weights and batches at each rate
            model = learning.model_of(recipe, data, params, device)
            trained.append((rate, model, learning.teach(model, data, params, rate, problem.seed, device)))
    attempts = []
    with phase("predict"):
        for rate, model, result in trained:
            scored, diverged = learning.scored(model, data, result, device)
            attempts.append(Attempt(rate, scored, result.losses, diverged))
    return attempts


def _rates(problem: Problem) -> list[float]:
    params = problem.params
    rates: list[float] = np.geomspace(params["lowest"], params["highest"], params["rates"]).tolist()
    return rates


compete(task, _run, budget.NEEDS)


def _counted(problem: Problem, phase: PhaseClock, count: Callable[[Corpus], Floats]) -> list[Attempt]:
    for _ in phase("train"):
        table = count(problem.data)
    for _ in phase("predict"):
        scored = counts.after(table, problem.data.test)
    return [Attempt(rate, scored) for rate in _rates(problem)]


@task.strategy("unigram", note="Is not trained, so that it has no learning rate.")
def unigram(problem: Problem, phase: PhaseClock) -> list[Attempt]:
    """Predict each character by its count, whatever comes before it."""
    return _counted(problem, phase, counts.unigram)


@task.strategy("bigram", note="Is not trained, so that it has no learning rate.")
def bigram(problem: Problem, phase: PhaseClock) -> list[Attempt]:
    """Predict each character by its count after the one before it."""
    return _counted(problem, phase, counts.bigram)
