"""The task distributed: the same boosting by several worker processes of one machine.

The threads of a trial are divided among its workers: with two threads, two workers have one each, and a strategy
without workers has both. Workers start and train a first model in the set-up phase `start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness import CLEAN, Dataset, InvalidOutputError, Judgement, Metric, Param, Profile, Scalar, Takes, Work
from harness.data.synthetic import GENERATORS
from harness.data.tabular import Split, Table, visible
from harness.topics._shared.binary import FIGURES, METRICS
from harness.topics._shared.binary import judge as judge_scores
from harness.topics.boosting import topic

if TYPE_CHECKING:
    from numpy.random import Generator

COSTS = (
    Metric(
        "bytes_sent",
        direction="lower",
        unit="byte",
        summary="Payload that all workers sent to each other while training, without headers and repeated packets.",
    ),
    Metric(
        "worker_peak_bytes",
        direction="lower",
        unit="byte",
        summary="Largest resident memory of any process that trained, libraries included.",
    ),
)
WORKERS = (1, 2)  # values that sweeps try; four workers need four threads


@dataclass(frozen=True, eq=False)
class Trained:
    """What a strategy of this task returns.

    Attributes
    ----------
    scores
        Probability of class 1 for each row of the test set, shape (n_test,).
    bytes_sent, worker_peak_bytes
        The values of `COSTS`.
    """

    scores: npt.NDArray[Any]
    bytes_sent: int
    worker_peak_bytes: int


def judge(split: Split, output: object) -> Judgement:
    """Judge probabilities as tabular-binary does, and add the costs of the workers."""
    if not isinstance(output, Trained):
        raise InvalidOutputError(f"expected a Trained of this task, not a {type(output).__name__}")
    judged = judge_scores(split, output.scores)
    costs = {"bytes_sent": float(output.bytes_sent), "worker_peak_bytes": float(output.worker_peak_bytes)}
    return replace(judged, metrics={**judged.metrics, **costs})


_UNIFORM = GENERATORS["tabular"]


def coded(params: Mapping[str, Scalar], rng: Generator) -> Split:
    """Draw synthetic tabular data and round the features down to `distinct` values.

    Labels follow the values before rounding.
    """
    split: Split = _UNIFORM.load(params, rng)
    distinct = np.float32(params["distinct"])

    def rounded(table: Table) -> Table:
        return Table(np.floor(table.X * distinct), table.y)

    return replace(split, train=rounded(split.train), test=rounded(split.test))


CODED = Dataset(
    "synthetic-coded",
    load=coded,
    summary="synthetic-tabular with at most `distinct` values a column, so that every value can have a bin.",
    params={**_UNIFORM.params, "distinct": Param(32, low=2, high=256, summary="values of a column")},
    kind=_UNIFORM.kind,
    target=_UNIFORM.target,
)

distributed = topic.task(
    "distributed",
    title="The same boosting by several worker processes, at an equal number of threads in all",
    datasets=["flights", "synthetic-tabular", CODED],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN],
    phases=["start", "build", "fit", "predict"],
    setup=["start"],
    metrics=[*METRICS, *COSTS],
    judge=judge,
    view=visible,
    params={
        "rows": Param(50_000, low=100, summary="training rows"),
        "trees": Param(20, low=1, summary="boosting rounds"),
        "depth": Param(6, low=1, high=16, summary="levels of a tree, which has at most 2**depth leaves"),
        "learning_rate": Param(0.1, low=1e-6, high=1, summary="factor of the leaf values of each tree"),
    },
    work={"fit": Work("row", of=("rows",))},
    sizes=lambda data: {"rows": len(data.train)},
    sweep={"rows": [10_000, 50_000]},
    reference="xgboost-hist",
    baseline="constant",
    charts=FIGURES,
    # Every trial starts processes: the quick profile runs the task only where it is named.
    quick=Profile(3, {"rows": 5_000, "threads": 2}, datasets=("synthetic-coded",), strategies=()),
    full=Profile(10, {"threads": 2}, sweeps=True),
)
