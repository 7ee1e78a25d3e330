"""Gradient boosting: the cost of different ways to search for splits, and whether they change the predictions.

A strategy is a decorated function in a module of this package; to add one, no other file changes. All tree strategies
use the parameters of the task and the regularisation below, which every library supports.
"""

from harness import CLEAN, Param, Profile, Takes, Topic, Work
from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
from harness.data.tabular import visible
from harness.topics._shared.binary import FIGURES, METRICS, judge

L2 = 1.0
LEAST_HESSIAN = 1e-3  # smallest sum of hessians in a leaf; fixed in scikit-learn
LEAST_ROWS = 1  # smallest number of rows in a leaf

topic = Topic("boosting", title="Gradient boosting: ways to search for splits", needs="sklearn.metrics")

task = topic.task(
    "tabular-binary",
    title="Probability of a binary event from a table, at an equal budget of trees, leaves and threads",
    datasets=["flights", "synthetic-tabular"],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN, TEMPORAL, label_noise(0.2), imbalance(0.05), covariate_shift(1.0)],
    phases=["build", "fit", "predict"],
    metrics=METRICS,
    judge=judge,
    view=visible,
    params={
        "rows": Param(100_000, low=100, summary="training rows"),
        "trees": Param(50, low=1, summary="boosting rounds"),
        "depth": Param(8, low=1, high=16, summary="levels of a tree; it has at most 2**depth leaves"),
        "learning_rate": Param(0.1, low=1e-6, high=1, summary="factor of the leaf values of each tree"),
    },
    work={"fit": Work("row", of=("rows",))},
    sweep={"rows": [1_000, 10_000, 100_000], "threads": [1, 2]},
    reference="xgboost-hist",
    baseline="constant",
    charts=FIGURES,
    quick=Profile(
        3,
        {"rows": 5_000},
        datasets=("flights",),
        scenarios=("clean", "temporal"),
        strategies=(
            *("constant", "logistic-regression", "lightgbm", "lightgbm-cuda", "sklearn-hist"),
            *("xgboost-exact", "xgboost-approx", "xgboost-hist", "xgboost-hist-gpu"),
        ),
    ),
    full=Profile(blocks=10, sweeps=True),
)
