"""Claims about calibration.

The weak model is naive Bayes, the strong one gradient boosting. Claims about them are judged on flights alone: the test
sets of nass-cds have some 240 events and those of breast-cancer 114 rows, and as all blocks divide the same file, more
blocks would not decide them.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

NICULESCU = "Niculescu-Mizil & Caruana 2005, Predicting good probabilities with supervised learning, section 5"
ROELOFS = "Roelofs et al. 2022, Mitigating bias in calibration error estimation (2012.08668)"
KUMAR = "Kumar, Liang & Ma 2019, Verified uncertainty calibration (1909.10155)"
SCALE = "Manokhin & Grønhaug 2026, Classifier calibration at scale (2601.19944), abstract"
SAERENS = "Saerens, Latinne & Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities"
OURS = "the bound is this project's"

SIGMOID: dict[str, Scalar] = {"task": "calibration-known", "dataset": "overconfident", "test_rows": 10_000}
CUBED: dict[str, Scalar] = {**SIGMOID, "dataset": "misspecified"}
PERFECT: dict[str, Scalar] = {"task": "calibration-known", "dataset": "calibrated", "points": 1_000}
IDEAL: dict[str, Scalar] = {"task": "calibration-known", "dataset": "calibrated", "points": 200, "test_rows": 10_000}
REAL: dict[str, Scalar] = {"task": "calibration", "dataset": "flights", "points": 500}
WEAK: dict[str, Scalar] = {**REAL, "model": "naive-bayes"}
STRONG: dict[str, Scalar] = {**REAL, "model": "boosting"}
BLOCKS = 12


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
    published="with 1,000 or more rows isotonic is always as good or better",
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
    "a map that was right is wrong after the odds halve: the true error of Platt is at least 0.05",
    source=f"{SAERENS}; {OURS}",
)
def prior_shift_breaks_maps(evidence: Evidence) -> Verdict:
    """Judge a calibration map under prior shift, on sigmoid-shaped errors and 1,000 calibration rows."""
    return evidence.mean("true_error", "platt", **SIGMOID, points=1_000, scenario="prior_shift(0.5)").at_least(0.05)


@topic.claim("on a weak model, Venn-Abers lowers the log loss on flights", source=SCALE, blocks=BLOCKS)
def venn_abers_helps(evidence: Evidence) -> Verdict:
    """Judge what it gains on the data set that is large enough to say."""
    return evidence.difference("log_loss", "venn-abers", "none", **WEAK).at_most(0)


@topic.claim(
    "on a weak model, the log losses of Venn-Abers and beta calibration are within 0.01 of each other on flights",
    source=f"{SCALE}; {OURS}",
    published="Venn-Abers followed closely by beta calibration",
    blocks=BLOCKS,
)
def venn_abers_and_beta_are_close(evidence: Evidence) -> Verdict:
    """Judge the first against the second of the study."""
    return evidence.tied("log_loss", "venn-abers", "beta", 0.01, **WEAK)


@topic.claim(
    "on a weak model, Venn-Abers lowers the log loss at least as much as beta calibration on flights",
    source=SCALE,
    published="Venn-Abers has the largest average reduction, beta calibration improves most frequently",
    blocks=BLOCKS,
)
def venn_abers_leads(evidence: Evidence) -> Verdict:
    """Judge their order."""
    return evidence.difference("log_loss", "venn-abers", "beta", **WEAK).at_most(0)


@topic.claim(
    "with 500 calibration rows and errors of another shape, Venn-Abers has a lower log loss than isotonic",
    source=SCALE,
    blocks=30,
)
def venn_abers_beats_isotonic(evidence: Evidence) -> Verdict:
    """Judge what merging two isotonic fits gains: no prediction is 0 or 1."""
    return evidence.difference("log_loss", "venn-abers", "isotonic", **CUBED, points=500).at_most(0)


@topic.claim(
    "on a strong model, Platt gains at most 0.01 log loss on flights", source=f"{SCALE}; {OURS}", blocks=BLOCKS
)
def platt_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge Platt on gradient boosting."""
    return evidence.difference("log_loss", "platt", "none", **STRONG).at_least(-0.01)


@topic.claim(
    "on a strong model, Venn-Abers gains at most 0.01 log loss on flights", source=f"{SCALE}; {OURS}", blocks=BLOCKS
)
def venn_abers_gains_nothing(evidence: Evidence) -> Verdict:
    """Judge Venn-Abers on gradient boosting."""
    return evidence.difference("log_loss", "venn-abers", "none", **STRONG).at_least(-0.01)


@topic.claim("on a perfect model and 200 calibration rows, Platt raises the log loss", source=SCALE, blocks=30)
def platt_degrades_a_perfect_model(evidence: Evidence) -> Verdict:
    """Judge the price of two numbers where the right ones are known."""
    return evidence.difference("log_loss", "platt", "none", **IDEAL).at_least(0)


@topic.claim("on a perfect model and 200 calibration rows, isotonic raises the log loss", source=SCALE, blocks=30)
def isotonic_degrades_a_perfect_model(evidence: Evidence) -> Verdict:
    """Judge the price of a free curve where the right one is the diagonal."""
    return evidence.difference("log_loss", "isotonic", "none", **IDEAL).at_least(0)
