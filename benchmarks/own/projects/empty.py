"""A trial that does nothing, in a server that has imported all libraries of topic boosting."""

from __future__ import annotations

import numpy as np

from harness.declare import Dataset, Judgement, Metric, PhaseClock, Problem, Profile, Topic

topic = Topic("empty", title="The harness's own cost")

task = topic.task(
    "nothing",
    title="Do nothing",
    datasets=[Dataset("none", lambda _params, _rng: np.zeros(1))],
    phases=["work"],
    metrics=[Metric("zero", direction="lower", unit="1")],
    judge=lambda _data, _output: Judgement({"zero": 0.0}),
    quick=Profile(blocks=60),
)


@task.strategy(
    "empty",
    needs=("xgboost", "lightgbm", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "pyarrow.parquet"),
)
def empty(problem: Problem, phase: PhaseClock) -> None:
    """Enter a phase and leave it."""
    del problem
    with phase("work"):
        pass
