"""Claims about categories: handled by the library, or encoded before.

The data set loans has seven columns of names, one of them with thousands of job titles, and gaps in ten columns;
flights has three columns of names, with 104 airports at most, and no gaps.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.boosting import topic

FEATURES = "LightGBM documentation, Features: optimal split for categorical features"
EXPO = "LightGBM README, news of 5 December 2016"
EXAMPLE = "scikit-learn, example Categorical feature support in gradient boosting"
ORDERED = "Prokhorenkova et al. 2018, CatBoost: unbiased boosting with categorical features, section 6"

LOANS: dict[str, Scalar] = {"task": "categories", "dataset": "loans", "threads": 1, "rows": 8_000}
FLIGHTS: dict[str, Scalar] = {"task": "categories", "dataset": "flights", "threads": 1, "rows": 8_000}
SMALL: dict[str, Scalar] = {**FLIGHTS, "trees": 15, "depth": 3}


@topic.claim(
    "on loans, LightGBM's own handling of categories has no higher log loss than one-hot encoding",
    source=FEATURES,
    published="one-hot encoding is suboptimal for trees, particularly with many categories; no figure is given",
)
def native_beats_one_hot(evidence: Evidence) -> Verdict:
    """Judge the split of categories in two sets where one column has thousands of them."""
    return evidence.difference("log_loss", "lightgbm", "lightgbm[encoding=one-hot]", **LOANS).at_most(0)


@topic.claim(
    "on loans, one-hot encoding costs LightGBM at least twice the CPU time of fit of its own handling",
    source=f"{EXPO}; the bound is this project's",
    published="about 8x on Expo, with the same accuracy",
)
def one_hot_costs_lightgbm(evidence: Evidence) -> Verdict:
    """Judge what hundreds of columns cost where columns that exclude each other are bundled."""
    return evidence.ratio("fit.cpu_s", "lightgbm[encoding=one-hot]", "lightgbm", **LOANS).at_least(2)


@topic.claim(
    "on loans, one-hot encoding costs scikit-learn's trees at least twice the CPU time of fit of their own handling",
    source=f"{EXAMPLE}; the bound is this project's",
    published="by far the slowest of four on Ames housing, as a picture shows; no figure is given",
)
def one_hot_costs_sklearn(evidence: Evidence) -> Verdict:
    """Judge what hundreds of columns cost where each has a histogram of its own."""
    return evidence.ratio("fit.cpu_s", "sklearn-hist[encoding=one-hot]", "sklearn-hist", **LOANS).at_least(2)


@topic.claim(
    "on flights, the log loss of scikit-learn's trees with one-hot encoding is within 0.01 of their own handling's",
    source=f"{EXAMPLE}; the bound is this project's",
    published="comparable errors of all that use the categories, as a picture shows; no figure is given",
)
def encodings_tie(evidence: Evidence) -> Verdict:
    """Judge the encoding where trees are large and categories few."""
    return evidence.tied("log_loss", "sklearn-hist[encoding=one-hot]", "sklearn-hist", 0.01, **FLIGHTS)


@topic.claim(
    "on flights, with 15 trees of depth 3, scikit-learn's own handling has a lower log loss than one-hot encoding",
    source=EXAMPLE,
    published="native handling is best where trees are few and small, as a picture shows; no figure is given",
)
def native_helps_small_trees(evidence: Evidence) -> Verdict:
    """Judge the split of categories in two sets where there are few splits."""
    return evidence.difference("log_loss", "sklearn-hist", "sklearn-hist[encoding=one-hot]", **SMALL).at_most(0)


@topic.claim(
    "on loans, CatBoost with ordered boosting has a lower log loss than XGBoost on target statistics",
    source=f"{ORDERED}, table 2",
    published="XGBoost +0.04 to +17 % on nine data sets, all three tuned, with ordered target statistics",
)
def catboost_beats_target_encoding(evidence: Evidence) -> Verdict:
    """Judge CatBoost at the budget of all others; the statistics of XGBoost are cross-fitted and not ordered."""
    return evidence.difference("log_loss", "catboost-ordered", "xgboost-hist[encoding=target]", **LOANS).at_most(0)


@topic.claim(
    "on loans, ordered boosting has a lower log loss than plain boosting in CatBoost",
    source=f"{ORDERED}, table 3",
    published="plain +1.1 % on Adult and +3.9 % on Internet, the two small data sets; -0.6 to +0.6 % on seven others",
)
def ordered_boosting_helps(evidence: Evidence) -> Verdict:
    """Judge what the shift of predictions costs where there are 8,000 rows."""
    return evidence.difference("log_loss", "catboost-ordered", "catboost", **LOANS).at_most(0)


@topic.claim(
    "on loans, ordered boosting costs at least 1.3 times the CPU time of fit of plain boosting in CatBoost",
    source=f"{ORDERED}; the bound is this project's",
    published="about 1.7x on Epsilon",
)
def ordered_boosting_costs(evidence: Evidence) -> Verdict:
    """Judge what several models beside each other cost."""
    return evidence.ratio("fit.cpu_s", "catboost-ordered", "catboost", **LOANS).at_least(1.3)
