"""The tasks value, value-real and selection, and what their strategies share.

The task selection chooses among candidate policies by their estimated values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import CLEAN, Chart, Judgement, Metric, Param, Profile
from harness.topics.ope import topic
from harness.topics.ope.worlds import (
    CANDIDATES,
    COMPILED,
    DIGITS,
    ENGINE,
    HEAVY,
    LINEAR,
    NONLINEAR,
    OPEN_BANDIT,
    POLICIES,
    REPLICATIONS,
    ROUNDS,
    SCENARIOS,
    SYNTHETIC,
    noisy_rewards,
    view,
)

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Replications


def _judge_selection(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.selection(data, output)


selection = topic.task(
    "selection",
    title="Choosing among policies by their estimated values",
    datasets=[POLICIES],
    scenarios=[CLEAN, HEAVY, noisy_rewards(1.0)],
    phases=["fit", "estimate"],
    metrics=[
        Metric(
            "rank_correlation",
            direction="higher",
            unit="1",
            margin=0.01,
            summary="Spearman's rank correlation of estimates and true values; mean over logs.",
        ),
        Metric(
            "regret",
            direction="lower",
            unit="reward",
            margin=0.001,
            summary="Value of the best policy minus that of the policy with the highest estimate; mean over logs.",
        ),
    ],
    judge=_judge_selection,
    view=view,
    params={**SYNTHETIC, **CANDIDATES},
    work=ROUNDS,
    sweep={"rounds": [300, 10_000]},
    reference="ips",
    quick=Profile(
        8,
        {"rounds": 500, "replications": 30, "candidates": 5},
        scenarios=("clean",),
        strategies=("ips", "snips", "dm", "dr"),
    ),
    full=Profile(blocks=6, sweeps=True),
)


# Kinds of `engine.models.fit_model`: ridge regression for each action if a log has enough rounds of each; one
# regression for all actions, by the rewards of the log, if actions may be many and rewards mostly 0.
MODEL, REAL_MODEL = "ridge", "shared"

METRICS = (
    Metric("mse", direction="lower", unit="reward^2", summary="Mean squared error over logs."),
    Metric("bias", direction="lower", unit="reward", summary="Absolute value of the mean error."),
    Metric("variance", direction="lower", unit="reward^2", summary="Variance of the error over logs."),
    Metric("relative_error", direction="lower", unit="1", margin=0.005, summary="Mean of |error| / |truth|."),
    Metric(
        "relative_error_tail",
        direction="lower",
        unit="1",
        margin=0.01,
        summary="Mean of |error| / |truth| over the worst tenth of the logs.",
    ),
    Metric(
        "effective_sample_size",
        direction="higher",
        unit="1",
        summary="A property of the data: effective sample size divided by the rounds, E[w]^2 / E[w^2].",
    ),
    Metric(
        "support_violations",
        direction="lower",
        unit="1",
        summary="A property of the data: the target's probability of actions that the log cannot contain.",
    ),
)
ERRORS = Chart(
    "errors",
    title="Relative error",
    x="share of logs",
    y="relative error",
    reading="Quantiles of the relative error: at x = 0.9, nine of ten logs have at most the error y.",
)


def _judge_value(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.value(data, output)


value = topic.task(
    "value",
    title="Value of a policy, estimated from the log of another, in synthetic worlds",
    datasets=[NONLINEAR, LINEAR],
    scenarios=SCENARIOS,
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge_value,
    view=view,
    params=SYNTHETIC,
    work=ROUNDS,
    sweep={"actions": [20, 200, 1_000], "rounds": [10_000], "temperature": [-1.0]},
    reference="ips",
    charts=[ERRORS],
    quick=Profile(
        8,
        {"rounds": 500, "replications": 60},
        datasets=("nonlinear-rewards",),
        scenarios=("clean",),
        strategies=("ips", "snips", "dm", "dr"),
    ),
    full=Profile(blocks=10, sweeps=True),
)
real = topic.task(
    "value-real",
    title="Value of a policy, estimated from the log of another, on real data",
    datasets=[DIGITS, *OPEN_BANDIT],
    scenarios=SCENARIOS[:-1],  # without noisy rewards: what noise does is measured where rewards are simulated
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge_value,
    view=view,
    params={"replications": Param(30, low=2, summary=REPLICATIONS["replications"].summary)},
    reference="ips",
    charts=[ERRORS],
    quick=Profile(
        3,
        {"replications": 2},
        datasets=("digits-bandit",),
        scenarios=("clean",),
        strategies=("ips", "snips", "dm", "dr"),
    ),
    full=Profile(blocks=6, datasets=("digits-bandit", "open-bandit-all"), scenarios=("clean",), sweeps=True),
    defaults={"model": REAL_MODEL},
)
TASKS = (value, real, selection)
#: Modules that every strategy of these tasks needs.
ESTIMATION = (f"{ENGINE}.estimators", f"{ENGINE}.replay", *COMPILED)
