"""Gradient boosting: the cost of different ways to search for splits, and whether they change the predictions.

A strategy is a decorated function in a module of this package; to add one, no other file changes. All tree strategies
use the parameters of the task and the regularisation below, which every library supports. A tree has at most 2**depth
leaves and is at most `depth` deep. A library that splits the leaf with the largest gain next can also grow deeper
trees of as many leaves: the names of such strategies end in ``-uncapped``.
"""

from dataclasses import replace

from harness import CLEAN, Param, Profile, Takes, Topic, Tuning, Work
from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
from harness.data.stress import missing
from harness.data.tabular import holdout, visible
from harness.topics._shared.binary import FIGURES, METRICS, constant_rate, judge

L2 = 1.0
LEAST_HESSIAN = 1e-3  # smallest sum of hessians in a leaf; fixed in scikit-learn
LEAST_ROWS = 1  # smallest number of rows in a leaf
# What tuning tries in every library that grows trees; the budget of trees and leaves stays.
SEARCH = {"rate_factor": (0.5, 1.0, 2.0, 4.0), "l2": (0.1, 1.0, 10.0, 100.0), "columns": (0.5, 0.75, 1.0)}

BUDGET = {
    "rows": Param(100_000, low=100, summary="training rows"),
    "trees": Param(50, low=1, summary="boosting rounds"),
    "depth": Param(8, low=1, high=16, summary="levels of a tree, which has at most 2**depth leaves"),
    "learning_rate": Param(0.1, low=1e-6, high=1, summary="factor of the leaf values of each tree"),
}


def budget(**defaults: int) -> dict[str, Param]:
    """Return the parameters of the size and the budget with other defaults."""
    return BUDGET | {name: replace(BUDGET[name], default=default) for name, default in defaults.items()}


#: The quick profile of a task that `bakeoff run boosting` leaves out, and `bakeoff run boosting/TASK` runs.
ONLY_NAMED = Profile(3, strategies=())

topic = Topic("boosting", title="Gradient boosting: ways to search for splits", needs="sklearn.metrics")

task = topic.task(
    "tabular-binary",
    title="Probability of a binary event from a table, at an equal budget of trees, leaves, depth and threads",
    datasets=["flights", "synthetic-tabular", "acs-employment"],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN, TEMPORAL, label_noise(0.2), imbalance(0.05), covariate_shift(1.0)],
    phases=["build", "fit", "predict"],
    metrics=METRICS,
    judge=judge,
    view=visible,
    params=BUDGET,
    work={"fit": Work("row", of=("rows",))},
    sizes=lambda data: {"rows": len(data.train)},
    sweep={"rows": [1_000, 10_000, 100_000], "threads": [1, 2]},
    reference="xgboost-hist",
    baseline="constant",
    charts=FIGURES,
    stress=[missing()],
    guess=constant_rate,
    # Judging four altered test sets of 50,000 rows would take longer than the trial.
    quick=Profile(
        3,
        {"rows": 5_000},
        datasets=("flights",),
        scenarios=("clean", "temporal"),
        strategies=(
            *("constant", "logistic-regression", "lightgbm", "lightgbm-cuda", "sklearn-hist"),
            *("xgboost-exact", "xgboost-approx", "xgboost-hist", "xgboost-hist-gpu"),
        ),
        stress=False,
    ),
    full=Profile(blocks=10, sweeps=True),
    tuning=Tuning(8, holdout(0.25)),
)
