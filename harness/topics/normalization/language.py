"""The task language: a language model of characters, trained for some steps at one learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Chart, Examples, InvalidOutputError, Judgement, Metric, Param, Profile, Takes, Work
from harness.topics.normalization import budget, corpus, counts, topic
from harness.topics.normalization.corpus import Corpus
from harness.topics.normalization.learned import Learned, losses_of, steps_to, training_curve
from harness.topics.normalization.recipes import Recipe, compete

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.normalization.learned import Floats

GOAL = {
    "rate": Param(3e-3, low=1e-8, high=10.0, summary="learning rate"),
    "target": Param(2.6, low=0.0, high=100.0, summary="training loss whose time is taken, in nats a character"),
}


def judge(data: Corpus, output: Any) -> Judgement:
    """Judge the loss on held-out text, and the way there.

    Raises
    ------
    InvalidOutputError
        When it is not a `Learned`, or its log-probabilities are wrong; see `losses_of`.
    """
    if not isinstance(output, Learned):
        raise InvalidOutputError(f"expected a Learned, not a {type(output).__name__}")
    reached = steps_to(output.target, output.losses)
    costs = {
        "target_steps": float(output.steps if reached is None else reached),
        "target_cpu_s": output.cpu_s[(reached or len(output.losses)) - 1] if output.losses else 0.0,
        "reached": float(reached is not None),
        "parameters": float(output.parameters),
        "saved_bytes": float(output.saved_bytes),
    }
    curves = training_curve("loss", output.losses)
    if output.diverged is not None:
        return Judgement(costs, curves, n={"reached": 1}, diverged=output.diverged)
    losses, in_training = (losses_of(data, scored) for scored in (output.scored, output.in_training))
    return Judgement(
        metrics={"loss": float(losses.mean()), "mode_gap": float(losses.mean() - in_training.mean()), **costs},
        curves=curves,
        examples={"loss": Examples(losses.mean(axis=1))},
        n={"reached": 1},
    )


def guess(data: Corpus) -> Mapping[str, float]:
    """Return the metrics of predicting each character by its count: the loss of training that diverged."""
    return {
        "loss": counts.unigram_loss(data),
        "mode_gap": 0.0,
        "target_steps": 0.0,
        "target_cpu_s": 0.0,
        "reached": 0.0,
        "parameters": float(data.size),
        "saved_bytes": 0.0,
    }


task = topic.task(
    "language",
    title="A language model of characters, trained for some steps",
    datasets=["kjv"],
    takes=Takes("text", prepare=corpus.prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN],
    phases=["compile", "train", "predict"],
    setup=["compile"],
    metrics=[
        Metric(
            "loss",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary="Mean negative log-likelihood of a character of held-out text, in evaluation mode.",
        ),
        Metric(
            "mode_gap",
            direction="lower",
            unit="nat",
            margin=0.02,
            summary="Test loss in evaluation mode minus that in training mode: 0 without batch norm.",
        ),
        Metric(
            "target_steps",
            direction="lower",
            unit="steps",
            summary="Steps until the training loss, the mean of ten steps, met the target; all steps if it did not.",
        ),
        Metric(
            "target_cpu_s",
            direction="lower",
            unit="s",
            summary="CPU time of these steps; that of all of them, a lower bound, if the target was not met.",
        ),
        Metric(
            "reached",
            direction="higher",
            unit="1",
            rate=True,
            summary="Whether the training loss met the target.",
        ),
        Metric("parameters", direction="lower", unit="parameters", summary="Trained numbers."),
        Metric(
            "saved_bytes",
            direction="lower",
            unit="byte",
            summary="Activations that a step of training saves for its gradients.",
        ),
    ],
    judge=judge,
    guess=guess,
    view=corpus.visible,
    params={**corpus.PARAMS, **budget.PARAMS, **GOAL},
    sweep={"rate": [1e-3, 1e-2], "layers": [12], "batch": [2]},
    work={"train": Work("step", of=("steps",))},
    stress=corpus.STRESS,
    reference="pre-ln",
    baseline="unigram",
    charts=[
        Chart(
            "loss",
            title="Training loss",
            x="step",
            y="training loss, nat",
            reading="Means of stretches of steps; a line ends where training diverged.",
        ),
    ],
    quick=Profile(
        4,
        {"layers": 2, "rows": 2_000, "steps": 80},
        strategies=("unigram", "post-ln", "pre-ln", "pre-rmsnorm", "dyt"),
        stress=False,
    ),
    full=Profile(3, sweeps=True),
)


def _run(problem: Problem, phase: PhaseClock, recipe: Recipe, device: str) -> Learned:
    from harness.topics._shared.deep import seeded
    from harness.topics.normalization.engine import learning

    data, params = problem.data, problem.params
    seeded(problem.seed)
    model = learning.prepared_model(recipe, data, params, device, phase)
    with phase("train"):
        trained = learning.teach(model, data, params, params["rate"], problem.seed, device)
    with phase("predict"):
        scored, diverged = learning.scored(model, data, trained, device)
    output = Learned(
        scored,
        None if scored is None else learning.in_training(model, data, scored, params["batch"], device),
        losses=trained.losses,
        cpu_s=trained.cpu_s,
        diverged=diverged,
        target=params["target"],
        steps=params["steps"],
        **learning.size_of(model, data, params["batch"], device),
    )
    if scored is None:
        return output

    def predict(altered: Corpus) -> Learned:
        again = learning.predict(model.eval(), altered, device)
        return output.on(again, learning.in_training(model, altered, again, params["batch"], device))

    return problem.with_altered(output, phase, predict)


compete(task, _run, budget.NEEDS, on_device=True)


def _counted(problem: Problem, phase: PhaseClock, count: Callable[[Corpus], Floats]) -> Learned:
    for _ in phase("train"):
        table = count(problem.data)
    for _ in phase("predict"):
        scored = counts.after(table, problem.data.test)
    output = Learned(
        scored, scored, target=problem.params["target"], steps=problem.params["steps"], parameters=table.size
    )

    def predict(altered: Corpus) -> Learned:
        again = counts.after(table, altered.test)
        return output.on(again, again)

    return problem.with_altered(output, phase, predict)


@task.strategy("unigram", note="Counted once, not trained in steps.")
def unigram(problem: Problem, phase: PhaseClock) -> Learned:
    """Predict each character by its count, whatever comes before it."""
    return _counted(problem, phase, counts.unigram)


@task.strategy("bigram", note="Counted once, not trained in steps.")
def bigram(problem: Problem, phase: PhaseClock) -> Learned:
    """Predict each character by its count after the one before it."""
    return _counted(problem, phase, counts.bigram)
