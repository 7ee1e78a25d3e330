"""Claims about calibration, monitoring and recalibration.

Where a claim names no data set, it is about the mean over those of its task. Rates are over independent streams, 200 a
block. The weak model is naive Bayes, the strong one gradient boosting.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

NICULESCU = "Niculescu-Mizil & Caruana 2005, Predicting good probabilities with supervised learning, sections 2 and 5"
ROELOFS = "Roelofs et al. 2022, Mitigating bias in calibration error estimation (2012.08668)"
KUMAR = "Kumar, Liang & Ma 2019, Verified uncertainty calibration (1909.10155)"
SCALE = "Manokhin & Grønhaug 2026, Classifier calibration at scale (2601.19944), abstract"
SAERENS = "Saerens, Latinne & Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities"
YURDAKUL = "Yurdakul & Naranjo 2020, Statistical properties of the population stability index"
COX = "Cox 1958, Two further applications of a model for binary regression"
PAGE = "Page 1954, Continuous inspection schemes"
JENSEN = "Jensen et al. 2006, Effects of parameter estimation on control chart properties: a literature review"
STEYERBERG = "Steyerberg et al. 2004, Validation and updating of predictive logistic regression models"
VERGOUWE = "Vergouwe et al. 2017, A closed testing procedure to select an appropriate method for updating"
DAVIS = "Davis et al. 2017, Calibration drift in regression and machine learning models for acute kidney injury"
OURS = "the bound is this project's"

SIGMOID: dict[str, Scalar] = {"task": "calibration-known", "dataset": "overconfident", "test_rows": 10_000}
CUBED: dict[str, Scalar] = {**SIGMOID, "dataset": "misspecified"}
PERFECT: dict[str, Scalar] = {"task": "calibration-known", "dataset": "calibrated", "points": 1_000}
IDEAL: dict[str, Scalar] = {"task": "calibration-known", "dataset": "calibrated", "points": 200, "test_rows": 10_000}
REAL: dict[str, Scalar] = {"task": "calibration", "points": 500}
WEAK: dict[str, Scalar] = {**REAL, "model": "naive-bayes"}
STRONG: dict[str, Scalar] = {**REAL, "model": "boosting"}
WATCH: dict[str, Scalar] = {"task": "monitoring", "period_rows": 500}
STABLE: dict[str, Scalar] = {**WATCH, "dataset": "no-change"}
FEW: dict[str, Scalar] = {"task": "recalibration", "points": 500}
BLOCKS = 12
WATCHED = 15


@topic.claim(
    "with 200 calibration rows and sigmoid-shaped errors, Platt's true error is at least 0.01 below isotonic's",
    source=f"{NICULESCU}; {OURS}",
    published="with fewer than about 200 to 1,000 rows Platt outperforms isotonic",
)
def platt_wins_on_few(evidence: Evidence) -> Verdict:
    """Judge two numbers against a free curve where there are few rows."""
    return evidence.difference("true_error", "platt", "isotonic", **SIGMOID, points=200).at_most(-0.01)


@topic.claim(
    "with 10,000 calibration rows and errors of another shape, isotonic's true error is at least 0.03 below Platt's",
    source=f"{NICULESCU}; {OURS}",
    published="with 1,000 or more rows isotonic is as good or better",
)
def isotonic_wins_on_many(evidence: Evidence) -> Verdict:
    """Judge them where there are many rows and the sigmoid is wrong."""
    return evidence.difference("true_error", "isotonic", "platt", **CUBED, points=10_000).at_most(-0.03)


@topic.claim(
    "with 10,000 calibration rows and sigmoid-shaped errors, isotonic's true error is within 0.005 of Platt's",
    source=f"{NICULESCU}; {OURS}",
    published="with 1,000 or more rows isotonic is as good or better, whatever the shape",
)
def isotonic_catches_up(evidence: Evidence) -> Verdict:
    """Judge whether many rows make up for a shape that is not given."""
    return evidence.difference("true_error", "isotonic", "platt", **SIGMOID, points=10_000).at_most(0.005)


@topic.claim(
    "on 200 test rows, the expected calibration error of a perfect model is at least 0.05",
    source=f"{ROELOFS}; {OURS}",
    published="binned estimators are biased upwards where there are few rows",
)
def binned_error_is_biased(evidence: Evidence) -> Verdict:
    """Judge what noise alone adds to the error in 15 bins."""
    return evidence.mean("expected_calibration_error", "none", **PERFECT, test_rows=200).at_least(0.05)


@topic.claim(
    "on 10,000 test rows, the expected calibration error of a perfect model is at most 0.02",
    source=f"{ROELOFS}; {OURS}",
)
def binned_error_falls(evidence: Evidence) -> Verdict:
    """Judge how the bias falls with rows."""
    return evidence.mean("expected_calibration_error", "none", **PERFECT, test_rows=10_000).at_most(0.02)


@topic.claim(
    "on 200 test rows, the debiased root-mean-square calibration error of a perfect model is at most 0.05 in the mean",
    source=f"{KUMAR}; {OURS}",
    blocks=20,
)
def debiased_error_is_small(evidence: Evidence) -> Verdict:
    """Judge the debiased estimate, whose square is right in the mean, but which is cut at 0."""
    return evidence.mean("calibration_rms", "none", **PERFECT, test_rows=200).at_most(0.05)


@topic.claim(
    "a map that was right is wrong after the odds halve: the true error of Platt is at least 0.05", source=SAERENS
)
def prior_shift_breaks_maps(evidence: Evidence) -> Verdict:
    """Judge a calibration map under prior shift, on sigmoid-shaped errors and 1,000 calibration rows."""
    return evidence.mean("true_error", "platt", **SIGMOID, points=1_000, scenario="prior_shift(0.5)").at_least(0.05)


@topic.claim(
    "on a weak model, Venn-Abers lowers the log loss by at least 0.05 in the mean",
    source=f"{SCALE}; {OURS}",
    published="the largest average reductions in log loss",
    blocks=BLOCKS,
)
def venn_abers_helps(evidence: Evidence) -> Verdict:
    """Judge what it gains over three data sets."""
    return evidence.difference("log_loss", "venn-abers", "none", **WEAK).at_most(-0.05)


@topic.claim(
    "on a weak model, the log losses of Venn-Abers and beta calibration are within 0.03 of each other",
    source=f"{SCALE}; {OURS}",
    published="Venn-Abers followed closely by beta calibration",
    blocks=BLOCKS,
)
def venn_abers_and_beta_are_close(evidence: Evidence) -> Verdict:
    """Judge the first against the second of the study, over three data sets."""
    return evidence.tied("log_loss", "venn-abers", "beta", 0.03, **WEAK)


@topic.claim("on a weak model, Venn-Abers has a lower log loss than isotonic", source=SCALE, blocks=BLOCKS)
def venn_abers_beats_isotonic(evidence: Evidence) -> Verdict:
    """Judge what merging two isotonic fits gains: no prediction is 0 or 1."""
    return evidence.difference("log_loss", "venn-abers", "isotonic", **WEAK).at_most(0)


@topic.claim(
    "on a weak model, beta calibration lowers the log loss in at least as many trials as Venn-Abers",
    source=SCALE,
    published="beta improves log loss most frequently",
    blocks=BLOCKS,
)
def beta_helps_more_often(evidence: Evidence) -> Verdict:
    """Judge how often each helps, over three data sets."""
    return evidence.difference("improved", "beta", "venn-abers", **WEAK).at_least(0)


@topic.claim(
    "on a strong model, isotonic raises the log loss",
    source=SCALE,
    published="Platt and isotonic can systematically degrade strong modern tabular models",
    blocks=BLOCKS,
)
def isotonic_degrades(evidence: Evidence) -> Verdict:
    """Judge isotonic on gradient boosting: a prediction of 0 or 1 that is wrong costs 36."""
    return evidence.difference("log_loss", "isotonic", "none", **STRONG).at_least(0)


@topic.claim("on a strong model, Platt gains at most 0.01 log loss", source=f"{SCALE}; {OURS}", blocks=BLOCKS)
def platt_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge Platt on gradient boosting, over three data sets."""
    return evidence.difference("log_loss", "platt", "none", **STRONG).at_least(-0.01)


@topic.claim("on a strong model, Venn-Abers gains at most 0.01 log loss", source=f"{SCALE}; {OURS}", blocks=BLOCKS)
def venn_abers_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge Venn-Abers on gradient boosting, over three data sets."""
    return evidence.difference("log_loss", "venn-abers", "none", **STRONG).at_least(-0.01)


@topic.claim("on a perfect model and 200 calibration rows, Platt raises the log loss", source=SCALE, blocks=30)
def platt_degrades_a_perfect_model(evidence: Evidence) -> Verdict:
    """Judge the price of two numbers where the right ones are known."""
    return evidence.difference("log_loss", "platt", "none", **IDEAL).at_least(0)


@topic.claim("on a perfect model and 200 calibration rows, isotonic raises the log loss", source=SCALE, blocks=30)
def isotonic_degrades_a_perfect_model(evidence: Evidence) -> Verdict:
    """Judge the price of a free curve where the right one is the diagonal."""
    return evidence.difference("log_loss", "isotonic", "none", **IDEAL).at_least(0)


def _alarms(evidence: Evidence, monitor: str) -> Verdict:
    return evidence.mean("false_alarms", monitor, **STABLE).at_most(0.08)


LEVEL = "a promise of the monitor; the 3 points above the declared 5 % are this project's"


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
    source=f"{JENSEN}; {OURS}",
    published="12 periods at 0.27 % each promise 3.2 %; estimated limits give more",
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
    source=OURS.capitalize(),
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
    published="with few new rows, recalibration is preferable to a refit; no figure is checked",
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
    source=OURS.capitalize(),
    blocks=20,
)
def one_season_misleads(evidence: Evidence) -> Verdict:
    """Judge a repair whose new rows are three weeks of summer."""
    season = {**FEW, "points": 5_000, "dataset": "flights"}
    return evidence.difference("log_loss", "intercept-slope", "none", **season).at_least(0)
