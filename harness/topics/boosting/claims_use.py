"""Claims about models in use: symmetric trees, answers to requests, the number of trees, regression, later years."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.boosting import topic

CATBOOST = "Prokhorenkova et al. 2018, CatBoost: unbiased boosting with categorical features"
APPLIED = "catboost/benchmarks on GitHub, model_evaluation_speed"
INPLACE = "XGBoost documentation, Prediction: in-place prediction"
STOPPING = "scikit-learn, example Early stopping of gradient boosting"
ACS = "Ding et al. 2021, Retiring Adult: new datasets for fair machine learning"

BINARY: dict[str, Scalar] = {"task": "tabular-binary", "dataset": "flights", "threads": 1}
REQUESTS: dict[str, Scalar] = {"task": "latency", "dataset": "flights", "threads": 1, "trees": 100}
LARGE_BATCH: dict[str, Scalar] = {**REQUESTS, "batch": 256}
ONE_ROW: dict[str, Scalar] = {**REQUESTS, "batch": 32}
STOPPED: dict[str, Scalar] = {"task": "early-stopping", "dataset": "flights", "threads": 1, "rows": 20_000}


@topic.claim(
    "at 1,000 rows of flights, symmetric trees have a lower log loss than CatBoost's trees grown node by node",
    source=f"{CATBOOST}, section 5",
    published="less prone to overfitting; no figure is given",
)
def symmetric_trees_overfit_less(evidence: Evidence) -> Verdict:
    """Judge the restriction of all nodes of a level to one split where leaves have few rows."""
    return evidence.difference("log_loss", "catboost", "catboost-depthwise", rows=1_000, **BINARY).at_most(0)


@topic.claim(
    "in batches of 256 rows, CatBoost's symmetric trees answer at least twice as fast as LightGBM's trees",
    source=f"{APPLIED}; the bound is this project's",
    published="59x on Epsilon with 8,000 trees and one thread (116 against 1.98 s)",
)
def symmetric_trees_answer_faster_than_lightgbm(evidence: Evidence) -> Verdict:
    """Judge the promise of fast predictions, in CPU time, with a hundred trees."""
    return evidence.ratio("batch.cpu_s", "lightgbm", "catboost", **LARGE_BATCH).at_least(2)


@topic.claim(
    "in batches of 256 rows, CatBoost's symmetric trees answer at least twice as fast as XGBoost's trees",
    source=f"{APPLIED}; the bound is this project's",
    published="36x on Epsilon with 8,000 trees and one thread (72 against 1.98 s), the matrix made before",
)
def symmetric_trees_answer_faster_than_xgboost(evidence: Evidence) -> Verdict:
    """Judge the same against in-place predictions, which make no matrix."""
    return evidence.ratio("batch.cpu_s", "xgboost-hist-inplace", "catboost", **LARGE_BATCH).at_least(2)


@topic.claim(
    "in batches of 256 rows, symmetric trees answer at least twice as fast as CatBoost's trees grown node by node",
    source=f"{CATBOOST}, section 5; the bound is this project's",
    published="allow speeding up execution at testing time significantly; no figure is given",
)
def symmetric_trees_answer_faster_than_others(evidence: Evidence) -> Verdict:
    """Judge the form of trees within one library."""
    return evidence.ratio("batch.cpu_s", "catboost-depthwise", "catboost", **LARGE_BATCH).at_least(2)


@topic.claim(
    "a single row costs CatBoost no more CPU time than LightGBM",
    source="CatBoost README: best-in-class prediction speed",
    published="no figure is given",
)
def one_row_costs_catboost_no_more(evidence: Evidence) -> Verdict:
    """Judge the same promise where the call costs more than the trees."""
    return evidence.ratio("one.cpu_s", "catboost", "lightgbm", **ONE_ROW).at_most(1)


@topic.claim(
    "a single row costs XGBoost's inplace_predict at most 0.8 times the CPU time of predict with a DMatrix",
    source=f"{INPLACE}; the bound is this project's",
    published="making a DMatrix is slow and takes memory; no figure is given",
)
def inplace_saves_time(evidence: Evidence) -> Verdict:
    """Judge what making a matrix for a row costs."""
    return evidence.ratio("one.cpu_s", "xgboost-hist-inplace", "xgboost-hist", **ONE_ROW).at_most(0.8)


@topic.claim(
    "XGBoost that stops after 20 rounds without a gain takes at most half of the CPU time of fit of 500 rounds",
    source=f"{STOPPING}; the bound is this project's",
    published="can significantly reduce training time; no figure is given",
)
def stopping_saves_time(evidence: Evidence) -> Verdict:
    """Judge what early stopping saves, with its own predictions of the validation rows."""
    return evidence.ratio("fit.cpu_s", "xgboost-hist", "xgboost-hist[stop=false]", **STOPPED).at_most(0.5)


@topic.claim(
    "XGBoost that stops after 20 rounds without a gain has no higher log loss than with 500 rounds on the same rows",
    source=STOPPING,
    published="almost the same accuracy with many fewer estimators",
)
def stopping_loses_nothing(evidence: Evidence) -> Verdict:
    """Judge what early stopping does to probabilities."""
    return evidence.difference("log_loss", "xgboost-hist", "xgboost-hist[stop=false]", **STOPPED).at_most(0)


@topic.claim(
    "in order of time, stopping by the newest training rows has no higher log loss than 500 rounds",
    source=f"{STOPPING}; in order of time it is this project's",
)
def stopping_holds_over_time(evidence: Evidence) -> Verdict:
    """Judge validation by the newest rows where test rows are newer still."""
    where: dict[str, Scalar] = {**STOPPED, "scenario": "temporal"}
    return evidence.difference("log_loss", "xgboost-hist", "xgboost-hist[stop=false]", **where).at_most(0)


@topic.claim(
    "on diamonds, CatBoost without target statistics is within 0.005 R2 of XGBoost at an equal budget",
    source=f"{CATBOOST}, section 6; the bound is this project's",
    published="CatBoost in a raw setting differs insignificantly from the other two (classification)",
)
def libraries_tie_in_regression(evidence: Evidence) -> Verdict:
    """Judge the choice of the library where no column is a category."""
    where: dict[str, Scalar] = {"task": "regression", "dataset": "diamonds", "threads": 1, "rows": 20_000}
    return evidence.tied("r2", "catboost", "xgboost-hist", 0.005, **where)


@topic.claim(
    "on acs-employment, the AUC of xgboost-hist on a random split is at most 1.005 times that in order of time",
    source=f"{ACS}: data to study shifts over time; the bound is this project's",
)
def employment_hardly_drifts(evidence: Evidence) -> Verdict:
    """Judge three years of drift, of which a random split shows nothing."""
    where: dict[str, Scalar] = {"task": "tabular-binary", "dataset": "acs-employment", "threads": 1, "rows": 50_000}
    return evidence.speedup("auc", "xgboost-hist", ("scenario", "clean", "temporal"), **where).at_most(1.005)
