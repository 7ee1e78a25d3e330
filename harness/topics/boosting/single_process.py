"""Strategies of the task distributed without workers: what workers are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.boosting import SEARCH
from harness.topics.boosting.distributed import Trained, distributed
from harness.topics.boosting.engine.traffic import peak_bytes
from harness.topics.boosting.lightgbm_trees import BY_ROWS, CAPPED, lightgbm_cpu
from harness.topics.boosting.lightgbm_trees import NOTE as LIGHTGBM
from harness.topics.boosting.xgboost_trees import NOTE as XGBOOST
from harness.topics.boosting.xgboost_trees import approx, hist

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.declare.task import Measured


@distributed.strategy("constant")
def constant(problem: Problem, phase: PhaseClock) -> Trained:
    """Predict the rate of class 1 in the training set for every row."""
    for _ in phase("fit"):
        rate = problem.data.train.y.mean()
    peak = peak_bytes()
    for _ in phase("predict"):
        scores = np.full(len(problem.data.test), rate, dtype=np.float64)
    return Trained(scores, bytes_sent=0, worker_peak_bytes=peak)


def _alone(train: Callable[..., Any]) -> Callable[..., Trained]:
    """Make a strategy of this task from one of tabular-binary: it sends nothing."""

    @wraps(train)
    def run(problem: Problem, phase: PhaseClock, **options: Any) -> Trained:
        peak = 0

        @contextmanager
        def watched(fit: Measured) -> Iterator[None]:
            nonlocal peak
            with fit:
                yield
                peak = peak_bytes()

        scores = train(problem, lambda name: watched(phase(name)) if name == "fit" else phase(name), **options)
        return Trained(scores, bytes_sent=0, worker_peak_bytes=peak)

    # Nothing is tuned here, and the option `columns` has the name of the columns of the data: --set would set both.
    own = signature(train)
    options = [option for name, option in own.parameters.items() if name not in SEARCH]
    run.__signature__ = own.replace(parameters=options)  # type: ignore[attr-defined]
    return run


distributed.strategy("xgboost-hist", needs="xgboost", note=XGBOOST)(_alone(hist))
distributed.strategy("xgboost-approx", needs="xgboost", note=XGBOOST)(_alone(approx))
distributed.strategy("lightgbm", needs="lightgbm", note=f"{CAPPED} {LIGHTGBM} {BY_ROWS}")(_alone(lightgbm_cpu))
