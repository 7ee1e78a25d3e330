"""Claims about monitoring and recalibration. Rates are over independent streams, 200 a block."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

SAERENS = "Saerens, Latinne & Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities"
YURDAKUL = "Yurdakul & Naranjo 2020, Statistical properties of the population stability index"
COX = "Cox 1958, Two further applications of a model for binary regression"
PAGE = "Page 1954, Continuous inspection schemes"
JENSEN = "Jensen et al. 2006, Effects of parameter estimation on control chart properties: a literature review"
STEYERBERG = "Steyerberg et al. 2004, Validation and updating of predictive logistic regression models"
VERGOUWE = "Vergouwe et al. 2017, A closed testing procedure to select an appropriate method for updating"
DAVIS = "Davis et al. 2017, Calibration drift in regression and machine learning models for acute kidney injury"
OURS = "the bound is this project's"

WATCH: dict[str, Scalar] = {"task": "monitoring", "period_rows": 500}
STABLE: dict[str, Scalar] = {**WATCH, "dataset": "no-change"}
FEW: dict[str, Scalar] = {"task": "recalibration", "points": 500}
WATCHED = 24


def _alarms(evidence: Evidence, monitor: str) -> Verdict:
    return evidence.mean("false_alarms", monitor, **STABLE).at_most(0.08)


LEVEL = f"a promise of the monitor, of 5 %; {OURS}"


@topic.claim(
    "calibration in the large raises a false alarm in at most 8 % of the streams", source=LEVEL, blocks=WATCHED
)
def large_holds_its_level(evidence: Evidence) -> Verdict:
    """Judge the declared level over 12 periods of 500 rows."""
    return _alarms(evidence, "calibration-in-the-large")


@topic.claim("calibration slope raises a false alarm in at most 8 % of the streams", source=LEVEL, blocks=WATCHED)
def slope_holds_its_level(evidence: Evidence) -> Verdict:
    """Judge the declared level over 12 periods of 500 rows."""
    return _alarms(evidence, "calibration-slope")


@topic.claim("the stability index raises a false alarm in at most 8 % of the streams", source=LEVEL, blocks=WATCHED)
def psi_holds_its_level(evidence: Evidence) -> Verdict:
    """Judge the declared level over 12 periods of 500 rows, with the simulated limit."""
    return _alarms(evidence, "psi")


@topic.claim(
    "the rise of the log loss raises a false alarm in at most 8 % of the streams", source=LEVEL, blocks=WATCHED
)
def log_loss_holds_its_level(evidence: Evidence) -> Verdict:
    """Judge the declared level over 12 periods of 500 rows, with the limit for skewed losses."""
    return _alarms(evidence, "log-loss")


@topic.claim(
    "limits of three standard deviations around an estimated rate raise a false alarm in at least 5 % of the streams",
    source=f"{JENSEN}; 12 periods at 0.27 % each promise 3.2 %; {OURS}",
    published="estimated limits raise more false alarms than known ones",
    blocks=WATCHED,
)
def three_sigmas_promise_too_much(evidence: Evidence) -> Verdict:
    """Judge the chart that ignores the noise of its reference of 2,000 rows."""
    return evidence.mean("false_alarms", "p-chart", **STABLE).at_least(0.05)


@topic.claim(
    "with 100 rows a period, a stability index above 0.1 is a false alarm in at least half of the streams",
    source=f"{YURDAKUL}; {OURS}",
    published="the index has the mean (bins - 1) (1/n + 1/m) without a change: 0.095 for 100 and 2,000 rows",
    blocks=WATCHED,
)
def rule_of_thumb_cries_wolf(evidence: Evidence) -> Verdict:
    """Judge a fixed limit that does not know the number of rows."""
    small = {**STABLE, "period_rows": 100}
    return evidence.mean("false_alarms", "psi[limit=0.1]", **small).at_least(0.5)


@topic.claim(
    "scores that rise by a quarter of a standard deviation: a limit of 0.25 misses at least 90 % at 500 rows a period",
    source=f"{YURDAKUL}; {OURS}",
    blocks=WATCHED,
)
def rule_of_thumb_sleeps(evidence: Evidence) -> Verdict:
    """Judge the fixed limit for a shift that the limit of the level detects."""
    moved = {**WATCH, "dataset": "covariate-shift", "shift": 0.25}
    return evidence.mean("missed", "psi[limit=0.25]", **moved).at_least(0.9)


@topic.claim(
    "the limit of the declared level misses at most 20 % of the same", source=f"{YURDAKUL}; {OURS}", blocks=WATCHED
)
def calibrated_limit_wakes(evidence: Evidence) -> Verdict:
    """Judge the simulated limit for it."""
    moved = {**WATCH, "dataset": "covariate-shift", "shift": 0.25}
    return evidence.mean("missed", "psi", **moved).at_most(0.2)


@topic.claim(
    "when the slope halves and scores and event rate stay, the stability index misses at least 90 %",
    source=f"it sees no labels; {OURS}",
    blocks=WATCHED,
)
def psi_is_blind_to_concept_drift(evidence: Evidence) -> Verdict:
    """Judge a monitor without labels under concept drift."""
    return evidence.mean("missed", "psi", **WATCH, dataset="concept-drift").at_least(0.9)


@topic.claim(
    "when the slope halves and scores and event rate stay, calibration in the large misses at least 90 %",
    source=f"{COX}; {OURS}",
    blocks=WATCHED,
)
def large_is_blind_to_the_slope(evidence: Evidence) -> Verdict:
    """Judge the sum of events under a change that does not move it."""
    return evidence.mean("missed", "calibration-in-the-large", **WATCH, dataset="concept-drift").at_least(0.9)


@topic.claim(
    "when the slope halves and scores and event rate stay, the calibration slope misses at most 5 %",
    source=f"{COX}; {OURS}",
    blocks=WATCHED,
)
def slope_sees_it(evidence: Evidence) -> Verdict:
    """Judge the statistic that is made for it."""
    return evidence.mean("missed", "calibration-slope", **WATCH, dataset="concept-drift").at_most(0.05)


@topic.claim(
    "when class 1 becomes 1.65 times as frequent, the calibration slope misses at least 90 %",
    source=f"{SAERENS}: the log odds of all rows move alike; {OURS}",
    blocks=WATCHED,
)
def slope_is_blind_to_prior_shift(evidence: Evidence) -> Verdict:
    """Judge the slope under a change that moves the intercept alone."""
    return evidence.mean("missed", "calibration-slope", **WATCH, dataset="prior-shift").at_least(0.9)


@topic.claim(
    "when class 1 becomes 1.28 times as frequent, a CUSUM misses at least 3 points fewer than the test of each period",
    source=f"{PAGE}; {OURS}",
    blocks=WATCHED,
)
def cusum_sees_small_shifts(evidence: Evidence) -> Verdict:
    """Judge what summing over periods gains for a small shift."""
    small = {**WATCH, "dataset": "prior-shift", "shift": 0.25}
    return evidence.difference("missed", "cusum", "calibration-in-the-large", **small).at_most(-0.03)


@topic.claim(
    "on flights, calibration in the large misses the last quarter of the year in at most 20 % of the streams",
    source=f"{DAVIS}; {OURS}",
    published="calibration of all models drifted over nine years while discrimination did not",
    blocks=WATCHED,
)
def large_sees_the_last_quarter(evidence: Evidence) -> Verdict:
    """Judge real drift that harms: the model was fitted on the first half, and extrapolates its trend over months."""
    return evidence.mean("missed", "calibration-in-the-large", **WATCH, dataset="flights").at_most(0.2)


@topic.claim(
    "on nass-cds, calibration in the large misses the late years in at least 75 % of the streams: the model is right",
    source=f"no published figure: {OURS}",
    blocks=WATCHED,
)
def newer_cars_do_no_harm(evidence: Evidence) -> Verdict:
    """Judge whether newer cars and airbags harm a model of years before."""
    return evidence.mean("missed", "calibration-in-the-large", **WATCH, dataset="nass-cds").at_least(0.75)


@topic.claim(
    "after a shift of all log odds by 0.5, a new intercept from 500 rows gains at least 0.01 log loss",
    source=f"{STEYERBERG}; {OURS}",
)
def intercept_repairs(evidence: Evidence) -> Verdict:
    """Judge the least repair where it is the right one."""
    return evidence.difference("log_loss", "intercept", "none", **FEW, dataset="intercept-shift").at_most(-0.01)


@topic.claim(
    "after the same, a model fitted anew on 100 rows has at least 0.01 more log loss than the new intercept",
    source=f"{STEYERBERG}; {OURS}",
    published="parsimonious updates are preferable to revisions, which need large samples and shrinkage",
    blocks=20,
)
def refit_on_few_loses(evidence: Evidence) -> Verdict:
    """Judge eleven numbers against one where there are few rows."""
    few = {**FEW, "points": 100, "dataset": "intercept-shift"}
    return evidence.difference("log_loss", "refit", "intercept", **few).at_least(0.01)


@topic.claim(
    "after all effects halve, intercept and slope from 500 rows gain at least 0.01 log loss over the intercept alone",
    source=f"{COX}; {OURS}",
)
def slope_repairs(evidence: Evidence) -> Verdict:
    """Judge the slope where it is the right repair."""
    return evidence.difference("log_loss", "intercept-slope", "intercept", **FEW, dataset="slope-shift").at_most(-0.01)


@topic.claim(
    "after half of the effects change sign, a model fitted anew on 5,000 rows has at least 0.03 less log loss than "
    "intercept and slope",
    source=f"{STEYERBERG}; {OURS}",
)
def refit_on_many_wins(evidence: Evidence) -> Verdict:
    """Judge where recalibration is not enough."""
    many = {**FEW, "points": 5_000, "dataset": "coefficient-shift"}
    return evidence.difference("log_loss", "refit", "intercept-slope", **many).at_most(-0.03)


@topic.claim(
    "where nothing has changed, the closed test on 500 rows loses at most 0.01 log loss",
    source=f"{VERGOUWE}; {OURS}",
    blocks=20,
)
def closed_test_does_no_harm(evidence: Evidence) -> Verdict:
    """Judge the price of asking whether to update."""
    return evidence.difference("log_loss", "closed-test", "none", **FEW, dataset="unchanged").at_most(0.01)


@topic.claim(
    "after half of the effects change sign, the closed test on 500 rows gains at least 0.1 log loss",
    source=f"{VERGOUWE}; {OURS}",
)
def closed_test_repairs(evidence: Evidence) -> Verdict:
    """Judge whether it updates where it must."""
    return evidence.difference("log_loss", "closed-test", "none", **FEW, dataset="coefficient-shift").at_most(-0.1)


@topic.claim(
    "on flights by date, intercept and slope fitted on 5,000 flights of one season raise the log loss of later months",
    source=f"no published figure: {OURS}",
    blocks=20,
)
def one_season_misleads(evidence: Evidence) -> Verdict:
    """Judge a repair whose new rows are three weeks of summer."""
    season = {**FEW, "points": 5_000, "dataset": "flights"}
    return evidence.difference("log_loss", "intercept-slope", "none", **season).at_least(0)
