"""A topic with two tasks: find the largest of many numbers, and the smallest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Chart, Curve, Dataset, Generator, Judgement, Metric, Param, Task, Topic

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
K = 10


def draw(params: Mapping[str, Any], rng: Generator) -> Numbers:
    """Draw numbers from a normal distribution."""
    return rng.normal(size=int(params["rows"]))


def recall_of(sign: int) -> Callable[[Numbers, Indices], Judgement]:
    """Make the judge of a task: which share of the K best numbers was returned, by rank."""

    def judge(numbers: Numbers, chosen: Indices) -> Judgement:
        found = np.cumsum(np.isin(np.argsort(-sign * numbers)[:K], chosen[:K])) / np.arange(1, K + 1)
        return Judgement({"recall": float(found[-1])}, {"recall": Curve(list(range(1, K + 1)), found.tolist())})

    return judge


topic = Topic("selection", title="Selection: the largest and the smallest of many numbers")


def declare(name: str, sign: int, top: float) -> Task:
    """Declare one of the two tasks."""
    return topic.task(
        name,
        title=f"Indices of the {K} {name} numbers",
        datasets=[Dataset(f"normal-{name}", load=draw, params={"rows": Param(1_000, low=K)})],
        phases=["select"],
        metrics=[Metric("recall", direction="higher", unit="1", margin=0.01)],
        judge=recall_of(sign),
        params={"rows": Param(1_000, low=K)},
        reference="sort",
        charts=[Chart("recall", title="Recall by rank", x="rank", y="recall")],
        defaults={"top": top},
    )


largest = declare("largest", 1, top=1.0)
smallest = declare("smallest", -1, top=0.0)
