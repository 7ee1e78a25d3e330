"""Facts about LightGBM's OpenCL learner: it predicts what the CPU learner predicts, wherever gains differ.

Skipped without a device. On the CPU, by pocl, the very first run compiles kernels for up to a minute and a half.
"""

from __future__ import annotations

import numpy as np
import pytest
from trials import run
from unmeasured import unmeasured

from harness.analysis.aggregates import aggregate, effect
from harness.data.synthetic import GENERATORS
from harness.declare import Problem
from harness.execute.executor import Limits
from harness.measure.device import opencl_names
from harness.plan.selection import Selection
from harness.topics.boosting import task
from harness.topics.boosting.lightgbm_trees import lightgbm_cpu, lightgbm_opencl

ON_DEVICE = "lightgbm-opencl"
ON_CPU = "lightgbm"
PARAMS = {"rows": 20_000, "columns": 20, "bayes_error": 0.1, "trees": 20, "learning_rate": 0.1, "threads": 1}

pytestmark = pytest.mark.skipif(not opencl_names(), reason="no OpenCL device")


@pytest.mark.parametrize("seed", range(3))
def test_predictions_are_those_of_the_cpu(seed: int) -> None:
    """To nine digits, with trees of depth 4: each split has a gain of its own, and sums differ by their order alone."""
    data = GENERATORS["tabular"].load(PARAMS, np.random.default_rng(seed))
    problem = Problem(task.view(data), PARAMS | {"depth": 4}, seed)
    here, there = (learn(problem, unmeasured) for learn in (lightgbm_cpu, lightgbm_opencl))
    print(f"\npredictions differ by up to {np.abs(here - there).max():.2g}")
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-8)


def test_trials_learn_the_same_at_the_budget_of_the_task() -> None:
    """Within 0.005 AUC at depth 8, where gains of small leaves are equal and either split may be taken."""
    selection = Selection(
        tasks=("boosting",),
        strategies=(ON_CPU, ON_DEVICE),
        datasets=("flights",),
        scenarios=("clean",),
        profile="quick",
        blocks=5,
        values={"rows": (20_000,), "trees": (20,), "depth": (8,), "threads": (1,)},
    )
    records = run(selection, Limits(timeout_s=600, memory_bytes=10**10))
    assert {(record.status, record.reason) for record in records} == {("ok", "")}
    aggregates = aggregate([("run", "machine", records)])
    for figure in ("auc", "fit.cpu_s", "fit.wall_s"):
        found = effect(aggregates, ON_DEVICE, ON_CPU, figure)
        assert found is not None
        print(f"\n{figure}, device against CPU: {found.estimate:.4g} [{found.low:.4g}, {found.high:.4g}]")
        if figure == "auc":
            assert -0.005 <= found.low <= found.high <= 0.005
