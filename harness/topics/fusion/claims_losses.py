"""Claims about losses.

All are judged on debian-packages, with 24 classes and 2,000 test examples in each block. Those about a long tail have
1,000 training packages before it is made, and 8 epochs. The others have 500 and 16 epochs, after which the network is
surer of itself than it is right.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.fusion import topic

BYRD = "Byrd & Lipton 2019, What is the effect of importance weighting in deep learning?, arXiv 1812.03372"
MENON = "Menon et al. 2021, Long-tail learning via logit adjustment, arXiv 2007.07314"
MUKHOTI = "Mukhoti et al. 2020, Calibrating deep neural networks using focal loss, arXiv 2002.09437"
MULLER = "Müller, Kornblith & Hinton 2019, When does label smoothing help?, arXiv 1906.02629"
LUKASIK = "Lukasik et al. 2020, Does label smoothing mitigate label noise?, arXiv 2003.02819"
OURS = "the bound is this project's"

PACKAGES: dict[str, Scalar] = {"task": "losses", "dataset": "debian-packages"}
TAIL: dict[str, Scalar] = {**PACKAGES, "rows": 1_000, "epochs": 8, "scenario": "long_tail(20)"}
CLEAN: dict[str, Scalar] = {**PACKAGES, "rows": 500, "epochs": 16}
NOISY: dict[str, Scalar] = {**CLEAN, "scenario": "label_noise(0.4)"}
BLOCKS = 25


@topic.claim(
    "on packages with a long tail, class weights raise macro-F1 by at least 0.01",
    source=f"{MENON}: weighting the loss is among the common answers to a long tail; {OURS}",
    blocks=BLOCKS,
)
def weights_help_rare_classes(evidence: Evidence) -> Verdict:
    """Judge what weights are taken for."""
    return evidence.difference("macro_f1", "class-weighted", "cross-entropy", **TAIL).at_least(0.01)


@topic.claim(
    "on packages with a long tail, class weights raise the calibration error",
    source=f"{MENON}: what minimises the balanced error is not the posterior",
    blocks=BLOCKS,
)
def weights_cost_calibration(evidence: Evidence) -> Verdict:
    """Judge the price in probabilities, at the rates that were trained on."""
    return evidence.difference("calibration_rms", "class-weighted", "cross-entropy", **TAIL).at_least(0)


@topic.claim(
    "on packages with a long tail, logit adjustment has at least the macro-F1 of class weights",
    source=f"{MENON}; {BYRD}: the effect of weights fades where a network separates its training data",
    blocks=BLOCKS,
)
def adjustment_beats_weights(evidence: Evidence) -> Verdict:
    """Judge margins against weights."""
    return evidence.difference("macro_f1", "logit-adjusted", "class-weighted", **TAIL).at_least(0)


@topic.claim(
    "on packages with a long tail, logit adjustment has a higher log loss than cross-entropy",
    source=f"{MENON}: its scores estimate the posterior under equal rates of the classes",
    blocks=BLOCKS,
)
def adjustment_costs_log_loss(evidence: Evidence) -> Verdict:
    """Judge the price of scores that leave the rates out."""
    return evidence.difference("log_loss", "logit-adjusted", "cross-entropy", **TAIL).at_least(0)


@topic.claim(
    "on 500 packages with clean labels, focal loss (gamma 2) lowers the calibration error by at least 0.01",
    source=f"{MUKHOTI}; {OURS}",
    blocks=BLOCKS,
)
def focal_calibrates(evidence: Evidence) -> Verdict:
    """Judge what is left of over-confidence."""
    return evidence.difference("calibration_rms", "focal", "cross-entropy", **CLEAN).at_most(-0.01)


@topic.claim(
    "on 500 packages with clean labels, the accuracy of focal loss (gamma 2) is within 0.015 of cross-entropy's",
    source=f"{MUKHOTI}, abstract: without compromising on accuracy in almost all cases; {OURS}",
    blocks=BLOCKS,
)
def focal_keeps_accuracy(evidence: Evidence) -> Verdict:
    """Judge whether it costs anything."""
    return evidence.tied("accuracy", "focal", "cross-entropy", 0.015, **CLEAN)


@topic.claim(
    "on 500 packages with clean labels, label smoothing of 0.1 lowers the calibration error by at least 0.01",
    source=f"{MULLER}; {OURS}",
    blocks=BLOCKS,
)
def smoothing_calibrates(evidence: Evidence) -> Verdict:
    """Judge the same of smoothed labels."""
    return evidence.difference("calibration_rms", "label-smoothing", "cross-entropy", **CLEAN).at_most(-0.01)


@topic.claim(
    "on 500 packages with 40 % wrong labels, label smoothing of 0.4 raises accuracy",
    source=f"{LUKASIK}, with 20 % symmetric noise on CIFAR",
    blocks=BLOCKS,
)
def smoothing_helps_with_noise(evidence: Evidence) -> Verdict:
    """Judge smoothing where labels are wrong as often as it supposes."""
    return evidence.difference("accuracy", "label-smoothing[smoothing=0.4]", "cross-entropy", **NOISY).at_least(0)


@topic.claim(
    "on 500 packages with 40 % wrong labels, focal loss (gamma 2) lowers the log loss by at least 0.1",
    source=f"{MUKHOTI}: it keeps networks from being over-confident; {OURS}",
    blocks=BLOCKS,
)
def focal_helps_with_noise(evidence: Evidence) -> Verdict:
    """Judge whether a bound on certainty pays where certainty is wrong."""
    return evidence.difference("log_loss", "focal", "cross-entropy", **NOISY).at_most(-0.1)
