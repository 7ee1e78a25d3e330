"""A topic whose set-up phase takes longer and holds more than what is measured; NO_SETUP makes it a plain one."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from harness import Dataset, Judgement, Metric, Profile, Topic

topic = Topic("prepared", title="Prepared work")
task = topic.task(
    "sort",
    title="Sort numbers after a set-up",
    datasets=[Dataset("numbers", lambda params, rng: rng.random(100_000))],
    phases=["compile", "fit", "predict"],
    setup=[] if os.environ.get("NO_SETUP") else ["compile"],
    metrics=[Metric("error", direction="lower", unit="1")],
    judge=lambda data, output: Judgement({"error": float(np.count_nonzero(np.diff(output) < 0))}),
    quick=Profile(blocks=2),
)


def work(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        output = np.sort(problem.data, kind="stable")  # above the millisecond that a gate asks for, on any machine
    with phase("predict"):
        return output * 1.0


@task.strategy("plain")
def plain(problem: Any, phase: Any) -> Any:
    """Sort the numbers."""
    return work(problem, phase)


@task.strategy("compiled")
def compiled(problem: Any, phase: Any) -> Any:
    """Sort the numbers after a set-up that keeps 40 MB."""
    with phase("compile"):
        kept = [np.sort(problem.data) for _ in range(50)]
    return work(problem, phase) + 0.0 * kept[0][0]
