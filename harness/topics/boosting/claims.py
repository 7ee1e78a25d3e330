"""Claims about the ways to search for splits.

Times are those of the phase fit, which searches for splits. Memory is that of all phases, because strategies bin in
different phases. Claims that depend on the size of the data name the number of rows; there is one thread unless a claim
is about threads.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.boosting import topic

COMPLEXITY = "Chen & Guestrin 2016, XGBoost, section 4.1, time complexity with blocks"
CACHE = "Chen & Guestrin 2016, XGBoost, section 4.2, cache-aware access"
EXPERIMENTS = "LightGBM documentation, Experiments, of 8 March 2020 (exact of 27 February 2017)"
BINS = "LightGBM documentation, GPU tuning guide and performance comparison"
METHODS = "XGBoost documentation, Tree methods"
MISSING = "scikit-learn User Guide, HistGradientBoosting, missing values support"
QUANTILE = "XGBoost documentation, Python API: QuantileDMatrix"
LEAVES = "LightGBM documentation, Features: leaf-wise (best-first) tree growth"
TUNING = "McElfresh et al. 2023, When do neural nets outperform boosted trees on tabular data?, abstract"
SCALING = "Pafka, github.com/szilard/GBM-perf, multi-core scaling, of 2020"
OWN = "the bound is this project's"

FLIGHTS: dict[str, Scalar] = {"task": "tabular-binary", "dataset": "flights", "threads": 1}
LARGE: dict[str, Scalar] = {**FLIGHTS, "rows": 100_000}
MILLION: dict[str, Scalar] = {"task": "tabular-binary", "dataset": "synthetic-tabular", "rows": 1_000_000}
# A tree has 176 leaves of 256 at 10,000 rows and 249 at 270,000. With 1,000 rows it has 80: then what nodes cost would
# grow as well, which a fixed cost does not.
GROWTH = ("rows", 10_000, 30_000, 270_000)


@topic.claim(
    "exact costs at least 3 times the CPU time of hist at 100,000 rows",
    source=f"{EXPERIMENTS}; {OWN}",
    published="23x on Higgs (3794 against 166 s; 10.5 million rows, 28 columns, 16 threads), 5 to 13x on four others; "
    "6.9x with the hist of 2017",
)
def exact_is_slower(evidence: Evidence) -> Verdict:
    """Judge the cost of trying every value as a split."""
    return evidence.ratio("fit.cpu_s", "xgboost-exact", "xgboost-hist", **LARGE).at_least(3)


@topic.claim(
    "beside fixed costs, the CPU time of exact grows faster in rows than that of hist, from 10,000 to 270,000 rows",
    source=CACHE,
)
def exact_grows_faster(evidence: Evidence) -> Verdict:
    """Judge how the cost of trying every value grows: its reads are scattered once the data exceed the cache.

    The ratio of the two times would grow in any case, because more of the time of hist is fixed.
    """
    return evidence.slope("fit.cpu_s", "xgboost-exact", "xgboost-hist", over=GROWTH, **FLIGHTS).at_least(0)


@topic.claim(
    "the CPU time of exact grows linearly in rows up to a logarithm: beside a fixed cost, its exponent is at most 1.1 "
    "from 10,000 to 270,000 rows",
    source=f"{COMPLEXITY}; {OWN}",
    published="time is of order K d n + n log n, for K trees of depth d and n values",
)
def exact_is_linear(evidence: Evidence) -> Verdict:
    """Judge the growth of trying every value, with columns that are sorted once."""
    return evidence.slope("fit.cpu_s", "xgboost-exact", over=GROWTH, **FLIGHTS).at_most(1.1)


@topic.claim(
    "the CPU time of hist grows at most linearly in rows: beside a fixed cost, its exponent is at most 1 from 10,000 "
    "to 270,000 rows",
    source=COMPLEXITY,
    published="time is of order K d n + n log B, for K trees of depth d and n values in blocks of B rows",
)
def hist_is_linear(evidence: Evidence) -> Verdict:
    """Judge the growth of adding rows to histograms."""
    return evidence.slope("fit.cpu_s", "xgboost-hist", over=GROWTH, **FLIGHTS).at_most(1)


@topic.claim(
    "hist with 256 bins is within 0.005 AUC of exact at 100,000 rows",
    source=f"{EXPERIMENTS}; {OWN}",
    published="+0.0057 on Higgs (0.8453 against 0.8396), +0.0195 on Expo, +0.0023 on Allstate, grown leaf by leaf",
)
def hist_loses_nothing(evidence: Evidence) -> Verdict:
    """Judge the loss of quality by binning."""
    return evidence.tied("auc", "xgboost-hist", "xgboost-exact", 0.005, **LARGE)


@topic.claim(
    "512 bins gain at most 0.002 AUC over 128 at 100,000 rows",
    source=f"{BINS}; {OWN}",
    published="255 bins over 63: +0.0004 on Higgs, +0.0003 on Epsilon, +0.0047 on Expo, -0.0037 on Bosch",
)
def bins_saturate(evidence: Evidence) -> Verdict:
    """Judge what fine bins gain."""
    return evidence.difference("auc", "xgboost-hist[max_bin=512]", "xgboost-hist[max_bin=128]", **LARGE).at_most(0.002)


@topic.claim(
    "8 bins lose at least 0.02 AUC against 256 at 100,000 rows",
    source=f"{BINS}; {OWN}",
    published="15 bins against 255: 0.033 on Expo, 0.005 on Higgs, 0.002 on Epsilon, 0.001 on Bosch",
)
def few_bins_lose(evidence: Evidence) -> Verdict:
    """Judge the loss of quality by coarse bins."""
    return evidence.difference("auc", "xgboost-hist", "xgboost-hist[max_bin=8]", **LARGE).at_least(0.02)


@topic.claim(
    "approx costs at least 1.1 times the CPU time of hist at 100,000 rows",
    source=f"{METHODS}; {OWN}",
    published="slower; no figure is given",
)
def approx_costs_more(evidence: Evidence) -> Verdict:
    """Judge a lower bound of the cost of a new quantile sketch for every tree."""
    return evidence.ratio("fit.cpu_s", "xgboost-approx", "xgboost-hist", **LARGE).at_least(1.1)


@topic.claim(
    "approx costs at most 5.5 times the CPU time of hist at 100,000 rows",
    source=f"{METHODS}; {OWN}",
)
def approx_costs_not_too_much(evidence: Evidence) -> Verdict:
    """Judge an upper bound of the cost of a new quantile sketch for every tree."""
    return evidence.ratio("fit.cpu_s", "xgboost-approx", "xgboost-hist", **LARGE).at_most(5.5)


@topic.claim(
    "approx gains less than 0.002 AUC over hist at 100,000 rows",
    source=f"{METHODS}; {OWN}",
    published="sometimes more accurate than hist with the same number of bins; no figure is given",
    blocks=20,  # with the spread of five blocks, ten leave the bound inside of the interval
)
def approx_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge what a new quantile sketch for every tree gains."""
    return evidence.difference("auc", "xgboost-approx", "xgboost-hist", **LARGE).at_most(0.002)


@topic.claim(
    "a QuantileDMatrix reduces the memory that training with hist adds by at least a third at 1,000,000 rows",
    source=f"{QUANTILE}; {OWN}",
    published="saves memory by avoiding intermediate storage; no figure is given",
    blocks=4,  # memory repeats within one per cent, and a trial takes many seconds
)
def quantile_saves_memory(evidence: Evidence) -> Verdict:
    """Judge the memory that is saved by not copying the table."""
    return evidence.ratio("peak_bytes", "xgboost-hist-quantile", "xgboost-hist", threads=1, **MILLION).at_most(2 / 3)


@topic.claim(
    "a QuantileDMatrix does not change the AUC of hist by more than 0.002 at 100,000 rows",
    source=f"{QUANTILE}; {OWN}",
)
def quantile_loses_nothing(evidence: Evidence) -> Verdict:
    """Judge whether quality suffers if the table is not copied."""
    return evidence.tied("auc", "xgboost-hist-quantile", "xgboost-hist", 0.002, **LARGE)


@topic.claim(
    "hist needs at least 1.5 times the memory of exact at 100,000 rows",
    source=f"{EXPERIMENTS}; {OWN}",
    published="1.4 to 2.1x on five data sets (Higgs 7.3 against 4.9 GB); 0.7 to 0.9x with the hist of 2017",
)
def hist_needs_more_memory(evidence: Evidence) -> Verdict:
    """Judge the memory that bins take."""
    return evidence.ratio("peak_bytes", "xgboost-hist", "xgboost-exact", **LARGE).at_least(1.5)


@topic.claim(
    "at equal leaves and any depth, growing leaf by leaf has a lower log loss than level by level at 100,000 rows",
    source=LEAVES,
    published="with the number of leaves held fixed it tends to achieve lower loss; no figure is given",
)
def leaves_help(evidence: Evidence) -> Verdict:
    """Judge the freedom of depth, in one library."""
    return evidence.difference("log_loss", "xgboost-hist-leafwise-uncapped", "xgboost-hist", **LARGE).at_most(0)


@topic.claim(
    "at 1,000 rows growing leaf by leaf to any depth overfits: its log loss is higher by at least 0.005",
    source=f"{LEAVES}; {OWN}",
    published="may cause over-fitting when there are few data; no figure is given",
)
def leaves_overfit(evidence: Evidence) -> Verdict:
    """Judge the same where leaves have few rows."""
    few = {**FLIGHTS, "rows": 1_000}
    return evidence.difference("log_loss", "xgboost-hist-leafwise-uncapped", "xgboost-hist", **few).at_least(0.005)


@topic.claim(
    "8 tries of tuning gain at least 0.002 AUC for hist at 100,000 rows",
    source=f"{TUNING}; {OWN}",
    published="light tuning of a GBDT matters more than the choice between GBDTs and neural nets; no figure is given",
    blocks=5,
)
def tuning_helps(evidence: Evidence) -> Verdict:
    """Judge what tuning gains at equal trees, leaves and depth."""
    return evidence.difference("auc", "xgboost-hist-tuned", "xgboost-hist", **LARGE).at_least(0.002)


@topic.claim(
    "tuned with 8 tries each, lightgbm and hist are within 0.005 AUC of each other at 100,000 rows",
    source=f"{TUNING}; {OWN}",
    published="light tuning matters more than the choice; no figure is given",
    blocks=5,
)
def tuned_libraries_tie(evidence: Evidence) -> Verdict:
    """Judge whether the choice of the library matters once both are tuned."""
    return evidence.tied("auc", "lightgbm-tuned", "xgboost-hist-tuned", 0.005, **LARGE)


@topic.claim(
    "a second thread makes hist at least 1.5 times as fast at 1,000,000 rows",
    source=f"{SCALING}; {OWN}",
    published="6.5x from 1 core to 16 on 1 million rows of airline data",
)
def threads_help(evidence: Evidence) -> Verdict:
    """Judge what a second thread gains."""
    return evidence.speedup("fit.wall_s", "xgboost-hist", ("threads", 1, 2), **MILLION).at_least(1.5)


@topic.claim(
    "where 25 % of the test values are missing and no training value is, sklearn-hist has at least 0.02 AUC more than "
    "xgboost-hist at 100,000 rows",
    source=f"{MISSING}; {OWN}",
    published="then a missing value goes to the child with the most samples; no figure is given",
)
def unseen_missing_values_go_to_the_larger_child(evidence: Evidence) -> Verdict:
    """Judge what becomes of values that were never missing in training; XGBoost has learnt no direction for them."""
    return evidence.difference("auc_at_missing_25", "sklearn-hist", "xgboost-hist", **LARGE).at_least(0.02)


@topic.claim(
    "flipping 20 % of the training labels changes the order of strategies by AUC little: Kendall's tau at least 0.8",
    source=f"a tacit assumption of benchmarks on clean labels; {OWN}",
)
def noise_keeps_order(evidence: Evidence) -> Verdict:
    """Judge whether clean data are enough to choose a strategy."""
    return evidence.order("auc", ("scenario", "clean", "label_noise(0.2)"), **LARGE).at_least(0.8)
