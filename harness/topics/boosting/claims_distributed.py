"""Claims about boosting by several workers: whether the model stays the same, what is sent, and what it costs.

All are about two workers of one thread each, against one process of two threads.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.boosting import topic

MERGED = "XGBoost issues 8476 and 5864: workers' quantiles are merged by an approximate sketch"
FEATURES = "LightGBM documentation, Features, optimization in distributed learning"
GUIDE = "LightGBM documentation, Distributed Learning Guide, table of the algorithms by rows and features"
VOTING = "Meng et al. 2016, A communication-efficient parallel algorithm for decision tree (PV-Tree), arXiv 1611.01276"
EXPERIMENTS = "LightGBM documentation, Experiments, parallel experiment on Criteo"

BLOCKS = 5  # every trial starts processes
CODED: dict[str, Scalar] = {"dataset": "synthetic-coded", "threads": 2, "rows": 50_000, "columns": 20}
WIDE: dict[str, Scalar] = {"dataset": "synthetic-coded", "threads": 2, "rows": 10_000, "columns": 300}


@topic.claim(
    "with a bin for every value, two workers of XGBoost's hist reach the AUC of one process to within 0.0005",
    source=f"{MERGED}; the bound is this project's",
    published="different results are expected because of the sketch; without it only rounding is left",
    blocks=BLOCKS,
)
def hist_is_the_same(evidence: Evidence) -> Verdict:
    """Judge whether anything but the merged quantiles changes the model."""
    return evidence.tied("auc", "xgboost-hist-data", "xgboost-hist", 0.0005, **CODED)


@topic.claim(
    "with a bin for every value, two workers of LightGBM reach the AUC of one process to within 0.002",
    source=f"{FEATURES}; the bound is this project's",
    blocks=BLOCKS,
)
def lightgbm_is_the_same(evidence: Evidence) -> Verdict:
    """Judge whether anything but the bins changes the model."""
    return evidence.tied("auc", "lightgbm-data", "lightgbm", 0.002, **CODED)


@topic.claim(
    "feature-parallel LightGBM sends at most 1 % of the bytes of data-parallel at 10,000 rows of 300 columns",
    source=f"{FEATURES}; the bound is this project's",
    published="workers have all data, and do not tell each other how rows are split; no figure is given",
    blocks=BLOCKS,
)
def feature_parallel_sends_little(evidence: Evidence) -> Verdict:
    """Judge the traffic of best splits against that of histograms."""
    return evidence.ratio("bytes_sent", "lightgbm-feature", "lightgbm-data", **WIDE).at_most(0.01)


@topic.claim(
    "divided by columns, XGBoost sends at most a tenth of the bytes as by rows at 10,000 rows of 300 columns",
    source=f"{GUIDE}; the bound is this project's",
    published="feature-parallel where rows are few; no figure is given",
    blocks=BLOCKS,
)
def columns_send_less(evidence: Evidence) -> Verdict:
    """Judge the traffic of which rows go left against that of histograms."""
    return evidence.ratio("bytes_sent", "xgboost-hist-feature", "xgboost-hist-data", **WIDE).at_most(0.1)


@topic.claim(
    "voting with k=20 of 300 columns sends 2k/300 of the bytes of data-parallel, to within a quarter",
    source=f"{VOTING}; the bound is this project's",
    published="histograms of 2k attributes for a node, whatever their number",
    blocks=BLOCKS,
)
def voting_sends_a_share(evidence: Evidence) -> Verdict:
    """Judge the traffic of histograms of chosen columns against those of all."""
    return evidence.ratio("bytes_sent", "lightgbm-voting", "lightgbm-data", **WIDE).within(0.25, of=40 / 300)


@topic.claim(
    "voting with k=5 of 300 columns, 5 of them informative, loses at most 0.005 AUC at 10,000 rows",
    source=f"{VOTING}; the bound is this project's",
    published="converges to the best attribute with high probability; the error grows as workers have fewer rows",
    blocks=BLOCKS,
)
def voting_loses_little(evidence: Evidence) -> Verdict:
    """Judge what is lost where workers vote for few columns."""
    return evidence.difference("auc", "lightgbm-voting[top_k=5]", "lightgbm", **WIDE).at_least(-0.005)


@topic.claim(
    "at an equal number of threads, two workers of LightGBM train in at most 1.5 times the wall time of one process at "
    "50,000 flights",
    source=f"{EXPERIMENTS}; the bound is this project's",
    published="linear speed-up: 627.8 s a tree on one machine, 311 s on two, 42 s on 16",
    blocks=BLOCKS,
)
def workers_cost_little(evidence: Evidence) -> Verdict:
    """Judge the overhead of processes and their messages, with the making of data structures."""
    return evidence.ratio("fit.wall_s", "lightgbm-data", "lightgbm", dataset="flights", threads=2, rows=50_000).at_most(
        1.5
    )
