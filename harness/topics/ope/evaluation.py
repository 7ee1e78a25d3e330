"""The tasks of estimating one policy's value, and what their strategies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Chart, Judgement, Metric, Param, Profile
from harness.topics.ope import topic
from harness.topics.ope.selection import selection
from harness.topics.ope.worlds import (
    COMPILED,
    DIGITS,
    ENGINE,
    LINEAR,
    NONLINEAR,
    OPEN_BANDIT,
    REPLICATIONS,
    ROUNDS,
    SCENARIOS,
    SYNTHETIC,
    view,
)

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Replications

# Kinds of `engine.models.fit_model`: least squares for each action, where a log holds enough of each; and one logistic
# regression for all, where actions are many and rewards are 0 and 1, mostly 0.
MODEL, REAL_MODEL = "ridge", "logistic-shared"

METRICS = (
    Metric("mse", direction="lower", unit="reward^2", summary="Mean squared error over logs."),
    Metric("bias", direction="lower", unit="reward", summary="Size of the mean error."),
    Metric("variance", direction="lower", unit="reward^2", summary="Variance of the error over logs."),
    Metric("relative_error", direction="lower", unit="1", margin=0.005, summary="Mean of |error| / |truth|."),
    Metric(
        "relative_error_tail",
        direction="lower",
        unit="1",
        margin=0.01,
        summary="Its mean over the worst tenth of logs.",
    ),
    Metric(
        "effective_sample_size",
        direction="higher",
        unit="1",
        summary="Of the data: share of the rounds that the weights leave, 1 / E[w^2].",
    ),
    Metric(
        "support_violations",
        direction="lower",
        unit="1",
        summary="Of the data: share of the target policy on actions that the log cannot hold.",
    ),
)
ERRORS = Chart(
    "errors",
    title="Relative error",
    x="share of logs",
    y="relative error",
    reading="So large at most is the error, as a share of the truth, in that share of the logs.",
)


def _judge(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.value(data, output)


value = topic.task(
    "value",
    title="Value of a policy from another one's log, in worlds made up",
    datasets=[NONLINEAR, LINEAR],
    scenarios=SCENARIOS,
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge,
    view=view,
    params=SYNTHETIC,
    work=ROUNDS,
    sweep={"actions": [20, 200, 1_000], "rounds": [10_000], "temperature": [-1.0]},
    reference="ips",
    charts=[ERRORS],
    quick=Profile(1, {"rounds": 500, "replications": 20}, datasets=("nonlinear-rewards",), scenarios=("clean",)),
    full=Profile(blocks=10, sweeps=True),
)
real = topic.task(
    "value-real",
    title="Value of a policy from another one's log, on data that were measured",
    datasets=[DIGITS, *OPEN_BANDIT],
    scenarios=SCENARIOS[:-1],  # its reward model is for rewards of 0 and 1
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge,
    view=view,
    params={"replications": Param(30, low=2, summary=REPLICATIONS["replications"].summary)},
    reference="ips",
    charts=[ERRORS],
    quick=Profile(1, {"replications": 2}, datasets=("digits-bandit",), scenarios=("clean",)),
    full=Profile(blocks=6, datasets=("digits-bandit", "open-bandit-all"), scenarios=("clean",), sweeps=True),
    defaults={"model": REAL_MODEL},
)
TASKS = (value, real, selection)
#: Modules that every strategy of these tasks needs.
ESTIMATION = (f"{ENGINE}.estimators", f"{ENGINE}.replay", *COMPILED)
