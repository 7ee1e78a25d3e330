"""The A/A task of ``bakeoff doctor``: the same work under two names, so that every difference is noise.

`bakeoff doctor` loads this module by its name, as a topic.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.declare import Dataset, Judgement, Metric, PhaseClock, Problem, Profile, Topic
from harness.declare.values import Generator
from harness.records import Scalar

_SORTS = 12
_NUMBERS = 200_000

topic = Topic("noise", title="The noise floor of this machine")


def _load(_params: Mapping[str, Scalar], rng: Generator) -> np.ndarray:
    return rng.random(_NUMBERS)


task = topic.task(
    "same-twice",
    title="Sort the same numbers, about 0.15 s of one core",
    datasets=[Dataset("noise-numbers", _load)],
    phases=["work"],
    metrics=[Metric("unsorted", direction="lower", unit="1", summary="pairs out of order")],
    judge=lambda _data, output: Judgement({"unsorted": float(np.count_nonzero(np.diff(output) < 0))}),
    quick=Profile(blocks=10_000),
)


def _work(problem: Problem, phase: PhaseClock) -> np.ndarray:
    """Sort copies of the numbers."""
    with phase("work"):
        for _ in range(_SORTS):
            output = np.sort(problem.data)
    return output


for _name in ("a", "b"):
    task.strategy(_name)(_work)
