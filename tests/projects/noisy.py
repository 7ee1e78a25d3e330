"""A topic whose scores are noise from the seeds, so that blocks decide in the same way whenever they are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from steps import STEPS  # type: ignore[import-not-found]  # a test writes it

from harness import Dataset, Judgement, Metric, Profile, Topic

topic = Topic("noisy", title="Planted scores")


def _load(params: Any, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=1)


def _score(problem: Any, phase: Any, place: int, level: float, spread: float = 1.0) -> float:
    with phase("fit"):
        sum(range(STEPS))
        noise = np.random.default_rng([problem.seed, place]).normal()
    return float(level + spread * noise + problem.data[0])


def _judge(data: np.ndarray, output: Any) -> Judgement:
    return Judgement({"score": output})


task = topic.task(
    "pick",
    title="Return a number",
    datasets=[Dataset("numbers", _load)],
    phases=["fit"],
    metrics=[Metric("score", direction="higher", unit="1")],
    judge=_judge,
    quick=Profile(blocks=3),
)
other = topic.task(
    "clear",
    title="Return a number",
    datasets=[Dataset("numbers", _load)],
    phases=["fit"],
    metrics=[Metric("score", direction="higher", unit="1")],
    judge=_judge,
    quick=Profile(blocks=3),
)


@task.strategy("good")
def good(problem: Any, phase: Any) -> Any:
    return _score(problem, phase, 1, 2.0)


@task.strategy("fair")
def fair(problem: Any, phase: Any) -> Any:
    return _score(problem, phase, 2, 0.0)


@task.strategy("poor")
def poor(problem: Any, phase: Any) -> Any:
    return _score(problem, phase, 3, -50.0)


@other.strategy("high")
def high(problem: Any, phase: Any) -> Any:
    return _score(problem, phase, 4, 50.0)


@other.strategy("low")
def low(problem: Any, phase: Any) -> Any:
    return _score(problem, phase, 5, 0.0)
