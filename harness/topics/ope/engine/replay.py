"""Runs an estimator or an interval on all replications, in the phases of a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harness.topics.ope.engine.check import check
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.worlds import Logs

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

#: Fits a reward model on a log, with a seed; returns predictions of shape (n, actions).
Fit: TypeAlias = Callable[[Log, int], Floats]
#: Changes a log before it is used, with a seed; for example it replaces the propensities by estimates.
Prepare: TypeAlias = Callable[[Log, int], Log]
#: Returns an estimate, or the ends of an interval, for a log and its model.
Answer: TypeAlias = Callable[[Log, Floats | None], float | tuple[float, float]]


def replay(
    problem: Problem, phase: PhaseClock, answer: Answer, *, fit: Fit | None = None, prepare: Prepare | None = None
) -> Floats:
    """Compute the answer for each candidate in each replication.

    Models are fitted once per log in the phase ``fit``, also if there are several candidates. Answers are computed in
    the phase ``estimate``. One time sample of a phase covers ten logs. Before the first sample one answer is computed
    without a clock, so that compiled code is already loaded.

    Returns
    -------
    numpy.ndarray
        Shape (replications,) for one candidate, else (replications, candidates), followed by the shape of an answer.
    """
    logs: Logs = problem.data
    rows = []
    warm = False
    for number, part in enumerate(logs.parts()):
        seeds = [problem.seed + 100 * number + place for place in range(len(part))]
        for each in part:
            check(each[0])
        models: Sequence[Floats | None] = [None] * len(part)
        if fit is not None or prepare is not None:
            with phase("fit"):
                if prepare is not None:
                    part = [_prepared(each, prepare, seed) for each, seed in zip(part, seeds, strict=True)]  # noqa: PLW2901
                if fit is not None:
                    models = [fit(each[0], seed) for each, seed in zip(part, seeds, strict=True)]
        if not warm:
            answer(part[0][0], models[0])
            warm = True
        with phase("estimate"):
            rows += [[answer(log, model) for log in each] for each, model in zip(part, models, strict=True)]
    answers = np.array(rows, dtype=np.float64)
    return answers[:, 0] if logs.candidates == 1 else answers


def _prepared(logs: tuple[Log, ...], prepare: Prepare, seed: int) -> tuple[Log, ...]:
    """Prepare the log of the first candidate, and use its propensities for the others."""
    from harness.topics.ope.engine.models import with_propensities

    first = prepare(logs[0], seed)
    if first.logging is None:
        return (first, *(prepare(log, seed) for log in logs[1:]))
    return (first, *(with_propensities(log, first.logging) for log in logs[1:]))
