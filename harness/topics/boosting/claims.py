"""What is said of the ways to find splits.

Time is claimed of the phase fit, where splits are found; memory of all phases, because strategies bin in different
ones.
"""

from __future__ import annotations

from harness.evidence import Evidence, Verdict
from harness.topics.boosting import topic
from harness.trial import Scalar

SPLITS = "Chen & Guestrin 2016, XGBoost, section 3"
HIGGS = "LightGBM documentation, Experiments (Higgs)"
BINS = "LightGBM documentation, GPU tuning guide and performance comparison (AUC at 15, 63 and 255 bins)"
METHODS = "XGBoost documentation, Tree methods"
QUANTILE = "XGBoost documentation, Python API: QuantileDMatrix"


@topic.claim(
    "exact costs at least 3 times the CPU time of hist at 100,000 rows",
    source=f"{SPLITS}; {HIGGS}, 3794 against 552 s in 2017",
)
def exact_is_slower(evidence: Evidence) -> Verdict:
    """Judge the cost of trying every value."""
    return evidence.ratio("fit.cpu_s", "xgboost-exact", "xgboost-hist", dataset="flights", rows=100_000).at_least(3)


@topic.claim("from 10,000 to 100,000 rows exact falls further behind hist", source=f"{SPLITS}; {HIGGS}")
def exact_grows_faster(evidence: Evidence) -> Verdict:
    """Judge how the cost of trying every value grows."""
    over = ("rows", 10_000, 100_000)
    return evidence.growth("fit.cpu_s", "xgboost-exact", "xgboost-hist", over, dataset="flights").at_least(1)


@topic.claim("hist with 256 bins is within 0.005 AUC of exact", source=f"{SPLITS}; {HIGGS}")
def hist_loses_nothing(evidence: Evidence) -> Verdict:
    """Judge the price of binning."""
    return evidence.difference("auc", "xgboost-hist", "xgboost-exact", dataset="flights").within(0.005)


@topic.claim("beyond 128 bins AUC gains less than 0.002", source=BINS)
def bins_saturate(evidence: Evidence) -> Verdict:
    """Judge the worth of fine bins."""
    fine, coarse = "xgboost-hist[max_bin=512]", "xgboost-hist[max_bin=128]"
    return evidence.difference("auc", fine, coarse, dataset="flights").at_most(0.002)


@topic.claim("8 bins lose at least 0.02 AUC against 256", source=BINS)
def few_bins_lose(evidence: Evidence) -> Verdict:
    """Judge the price of coarse bins."""
    return evidence.difference("auc", "xgboost-hist", "xgboost-hist[max_bin=8]", dataset="flights").at_least(0.02)


@topic.claim("approx costs at least 1.1 times the CPU time of hist", source=METHODS)
def approx_costs_more(evidence: Evidence) -> Verdict:
    """Judge the least cost of sketching anew for every tree."""
    return evidence.ratio("fit.cpu_s", "xgboost-approx", "xgboost-hist", dataset="flights").at_least(1.1)


@topic.claim("approx costs at most 5.5 times the CPU time of hist", source=METHODS)
def approx_costs_not_too_much(evidence: Evidence) -> Verdict:
    """Judge the largest cost of sketching anew for every tree."""
    return evidence.ratio("fit.cpu_s", "xgboost-approx", "xgboost-hist", dataset="flights").at_most(5.5)


@topic.claim("approx gains no AUC over hist (less than 0.002)", source=METHODS)
def approx_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge the worth of sketching anew for every tree."""
    return evidence.difference("auc", "xgboost-approx", "xgboost-hist", dataset="flights").at_most(0.002)


@topic.claim(
    "a QuantileDMatrix cuts the memory that training adds by a third or more at 1,000,000 rows", source=QUANTILE
)
def quantile_saves_memory(evidence: Evidence) -> Verdict:
    """Judge the memory saved by not copying the table."""
    where: dict[str, Scalar] = {"dataset": "synthetic-tabular", "rows": 1_000_000}
    return evidence.ratio("peak_bytes", "xgboost-hist-quantile", "xgboost-hist", **where).at_most(2 / 3)


@topic.claim("a QuantileDMatrix leaves AUC where it is (within 0.002)", source=QUANTILE)
def quantile_loses_nothing(evidence: Evidence) -> Verdict:
    """Judge the price of not copying the table."""
    return evidence.difference("auc", "xgboost-hist-quantile", "xgboost-hist", dataset="flights").within(0.002)


@topic.claim("hist needs at least 1.5 times the memory of exact", source=f"{HIGGS}, update of 2020")
def hist_needs_more_memory(evidence: Evidence) -> Verdict:
    """Judge the memory of bins."""
    return evidence.ratio("peak_bytes", "xgboost-hist", "xgboost-exact", dataset="flights").at_least(1.5)


@topic.claim(
    "a second thread makes hist at least 1.5 times as fast at 1,000,000 rows",
    source="Pafka, github.com/szilard/GBM-perf (more than 6 times on 16 cores)",
)
def threads_help(evidence: Evidence) -> Verdict:
    """Judge the worth of a second thread."""
    where: dict[str, Scalar] = {"dataset": "synthetic-tabular", "rows": 1_000_000}
    return evidence.speedup("fit.wall_s", "xgboost-hist", ("threads", 1, 2), **where).at_least(1.5)


@topic.claim(
    "with 20 % of the training labels flipped the order of strategies by AUC stays (Kendall's tau at least 0.8)",
    source="A tacit assumption of benchmarks on clean labels; no published figure known",
)
def noise_keeps_order(evidence: Evidence) -> Verdict:
    """Judge whether clean data are enough to choose a strategy."""
    return evidence.order("auc", over=("scenario", "clean", "label_noise(0.2)"), dataset="flights").at_least(0.8)
