"""A topic whose strategies do real work with a change planted by environment variables of one side.

``PLANTED_CPU`` and ``PLANTED_BYTES`` are shares by which CPU time and memory grow, ``PLANTED_DROP`` is what is added to
the error on average; ``PLANTED_NOISE`` is the size of a random part of the predictions, another one on each side.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.declare import Dataset, Examples, Judgement, Metric, Param, PhaseClock, Problem, Profile, Topic

Floats = npt.NDArray[np.float64]
Data = tuple[Floats, Floats]

MARGIN = 0.002
_MEMORY_BYTES = 100_000_000
_LOOPS = 1_200_000
_CALL = 12  # numbers that take as long to add up as the call of the function

topic = Topic("planted", title="Real work with planted changes")


def _load(params: Mapping[str, Any], rng: np.random.Generator) -> Data:
    X = rng.random((int(params["rows"]), 10))
    return X, X @ rng.random(10) + rng.normal(0, 0.1, len(X))


def _judge(data: Data, output: Floats) -> Judgement:
    errors = (output - data[1]) ** 2
    return Judgement({"squared_error": float(errors.mean())}, examples={"squared_error": Examples(errors)})


task = topic.task(
    "regression",
    title="A number from ten columns",
    datasets=[Dataset("uniform", _load, params={"rows": Param(1500, low=10)})],
    phases=["fit"],
    metrics=[Metric("squared_error", direction="lower", unit="1", margin=MARGIN)],
    judge=_judge,
    params={"rows": Param(1500, low=10)},
    quick=Profile(blocks=1),
)


def _planted(name: str) -> float:
    return float(os.environ.get(name, "0"))


@contextmanager
def _slowed() -> Iterator[None]:
    """Work on for the planted share of the CPU time that the body took."""
    share, start = _planted("PLANTED_CPU"), time.process_time()
    yield
    end = time.process_time() + share * (time.process_time() - start)
    numbers = np.arange(1000.0)
    while time.process_time() < end:
        np.sqrt(numbers)


@task.strategy("lightgbm", needs="lightgbm")
def boosting(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit 100 trees of 15 leaves."""
    import lightgbm

    X, y = problem.data
    with phase("fit"), _slowed():
        model = lightgbm.train({"num_leaves": 15, "num_threads": 1, "verbose": -1}, lightgbm.Dataset(X, y), 100)
    scores: Floats = model.predict(X)
    return scores


@task.strategy("numpy")
def kernel(problem: Problem, phase: PhaseClock) -> Floats:
    """Sort and exponentiate 200 times."""
    X, y = problem.data
    with phase("fit"), _slowed():
        for _ in range(200):
            total = np.sort(X[:, 0]).sum() + np.exp(X).sum()
    return np.full(len(y), float(total))


@task.strategy("count")
def count(problem: Problem, phase: PhaseClock) -> Floats:
    """Count numbers in a loop of Python for a sixth of a second."""
    _, y = problem.data
    numbers = [7919 * index % 1000 for index in range(round(_LOOPS * (1 + _planted("PLANTED_CPU"))))]
    with phase("fit"):
        seen: dict[int, int] = {}
        for index, number in enumerate(numbers):
            seen[number] = seen.get(number, 0) + (7 * index % 13 > 3)
    return np.full(len(y), float(len(seen)))


@task.strategy("micro")
def micro(problem: Problem, phase: PhaseClock) -> Floats:
    """Add up 40 numbers, which takes a fraction of a microsecond."""
    return _added(problem, phase, 40)


@task.strategy("small")
def small(problem: Problem, phase: PhaseClock) -> Floats:
    """Add up 2,000 numbers, which takes some ten microseconds."""
    return _added(problem, phase, 2000)


def _added(problem: Problem, phase: PhaseClock, count: int) -> Floats:
    _, y = problem.data
    numbers = list(range(count + round((count + _CALL) * _planted("PLANTED_CPU"))))
    for _ in phase("fit"):
        sum(numbers)
    return np.full(len(y), 0.0)


@task.strategy("memory")
def memory(problem: Problem, phase: PhaseClock) -> Floats:
    """Fill 100 MB."""
    _, y = problem.data
    with phase("fit"):
        filled = np.ones(round(_MEMORY_BYTES * (1 + _planted("PLANTED_BYTES"))), dtype=np.uint8)
    return np.full(len(y), float(filled[0]))


@task.strategy("ridge")
def ridge(problem: Problem, phase: PhaseClock) -> Floats:
    """Solve for ten weights, and add a random part of a known mean square to what they predict."""
    X, y = problem.data
    with phase("fit"):
        weights = np.linalg.solve(X.T @ X + np.eye(10), X.T @ y)
    square = _planted("PLANTED_NOISE") + _planted("PLANTED_DROP")
    rng = np.random.default_rng([problem.seed, int(_planted("PLANTED_SIDE"))])
    return np.asarray(X @ weights + rng.normal(0, math.sqrt(square), len(y)))
