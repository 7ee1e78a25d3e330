"""Claims about rare events and thresholds.

Models are fitted on 5,000 rows of `rare-logit`, 5 % events of a logistic model, or of `nass-cds`, 4.5 % deaths. In the
task imbalance a missed event costs 20 false alarms, about as many as there are other rows for each event, so that a
threshold of 0.5 after balancing is the right one. In the task threshold it costs 5 unless a claim says so.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

HARM = (
    "van den Goorbergh, van Smeden, Timmerman & Van Calster 2022, The harm of class imbalance corrections for risk "
    "prediction models, PMC9382395"
)
SCALES = "Abdelhamid & Desai 2024, Balancing the scales, arXiv 2409.19751"
TILBENCH = "TILBench, a systematic benchmark for tabular imbalanced learning, arXiv 2605.14915"
HIDDEN = "Liu 2026, The hidden cost of resampling, arXiv 2606.29720"
ELKAN = "Elkan 2001, The foundations of cost-sensitive learning, equation 2"
SAERENS = "Saerens, Latinne & Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities"
LIPTON = "Lipton, Elkan & Naryanaswamy 2014, Optimal thresholding of classifiers to maximize F1 measure"
CORRUPTED = "Menon et al. 2015, Learning from corrupted binary labels via class-probability estimation, PMLR 37"
BOUND = "the bound is this project's"

BALANCE: dict[str, Scalar] = {"task": "imbalance", "rows": 5_000, "cost_ratio": 20.0}
CHOICE: dict[str, Scalar] = {"task": "threshold", "rows": 5_000, "cost_ratio": 5.0}
RARE: dict[str, Scalar] = {"dataset": "rare-logit"}
DEATHS: dict[str, Scalar] = {"dataset": "nass-cds"}
MORE_EVENTS: dict[str, Scalar] = {"scenario": "prior_shift(4)"}
NOISY: dict[str, Scalar] = {"scenario": "label_noise(0.1)"}


def every(*parts: Verdict) -> Verdict:
    """Return the verdict on a sentence that says all of its parts: refuted if one is, supported if all are."""
    if "refuted" in parts:
        return "refuted"
    if "not measured" in parts:
        return "not measured"
    return "supported" if set(parts) == {"supported"} else "inconclusive"


@topic.claim(
    "class weights and SMOTE gain at most 0.005 AUC in logistic regression on rare-logit",
    source=f"{HARM}; {BOUND}",
    published="no higher areas under the ROC curve by oversampling or SMOTE; weights were not studied",
)
def balancing_gains_no_auc(evidence: Evidence) -> Verdict:
    """Judge what balancing does to the order of rows, where the model is right."""
    return every(
        evidence.difference("auc", "logistic-weights", "logistic-threshold", **BALANCE, **RARE).at_most(0.005),
        evidence.difference("auc", "logistic-smote", "logistic-threshold", **BALANCE, **RARE).at_most(0.005),
    )


@topic.claim(
    "class weights and SMOTE gain at most 0.01 AUC in logistic regression on nass-cds", source=f"{HARM}; {BOUND}"
)
def balancing_gains_no_auc_on_deaths(evidence: Evidence) -> Verdict:
    """Judge the same on real data."""
    return every(
        evidence.difference("auc", "logistic-weights", "logistic-threshold", **BALANCE, **DEATHS).at_most(0.01),
        evidence.difference("auc", "logistic-smote", "logistic-threshold", **BALANCE, **DEATHS).at_most(0.01),
    )


@topic.claim(
    "class weights raise the calibration error of logistic regression by at least 0.2 on nass-cds",
    source=f"{HARM}; {BOUND}",
    published="by oversampling the probability of an event is strongly overestimated; weights were not studied",
)
def weights_wreck_calibration(evidence: Evidence) -> Verdict:
    """Judge the probabilities that class weights leave."""
    measured = evidence.difference("calibration_rms", "logistic-weights", "logistic-threshold", **BALANCE, **DEATHS)
    return measured.at_least(0.2)


@topic.claim(
    "SMOTE raises the calibration error of logistic regression by at least 0.2 on nass-cds", source=f"{HARM}; {BOUND}"
)
def smote_wrecks_calibration(evidence: Evidence) -> Verdict:
    """Judge the probabilities that SMOTE leaves."""
    measured = evidence.difference("calibration_rms", "logistic-smote", "logistic-threshold", **BALANCE, **DEATHS)
    return measured.at_least(0.2)


@topic.claim(
    "moving the threshold costs at most 0.005 more than weighing events by their cost, on rare-logit",
    source=f"{HARM}; {SCALES}; {BOUND}",
    published="similar results by shifting the threshold; the most consistent of three remedies on 30 data sets (F1)",
    blocks=20,
)
def threshold_replaces_weights(evidence: Evidence) -> Verdict:
    """Judge the two ways to tell a model what errors cost."""
    measured = evidence.difference("expected_cost", "logistic-threshold", "logistic-cost-weights", **BALANCE, **RARE)
    return measured.at_most(0.005)


@topic.claim(
    "moving the threshold costs at most 0.005 more than SMOTE, on rare-logit",
    source=f"{HARM}; {SCALES}; {BOUND}",
    blocks=20,
)
def threshold_replaces_smote(evidence: Evidence) -> Verdict:
    """Judge resampling at the costs for which it is right."""
    measured = evidence.difference("expected_cost", "logistic-threshold", "logistic-smote", **BALANCE, **RARE)
    return measured.at_most(0.005)


@topic.claim(
    "without a moved threshold, a logistic regression costs at least 0.3 more than with one, on nass-cds",
    source=f"{ELKAN}; {BOUND}",
)
def half_is_wrong(evidence: Evidence) -> Verdict:
    """Judge what the threshold alone is worth."""
    return evidence.difference("expected_cost", "logistic", "logistic-threshold", **BALANCE, **DEATHS).at_least(0.3)


@topic.claim(
    "no method of balancing raises the average precision of logistic regression by 0.01, on rare-logit or nass-cds",
    source=f"{TILBENCH}; {HARM}; {BOUND}",
    published="no single method dominates over 57 data sets",
    blocks=20,
)
def nothing_wins(evidence: Evidence) -> Verdict:
    """Judge weights, over- and undersampling and SMOTE on two data sets."""
    methods = ("weights", "oversample", "undersample", "smote")
    gains = [
        evidence.difference("average_precision", f"logistic-{method}", "logistic-threshold", **BALANCE, **data)
        for method in methods
        for data in (RARE, DEATHS)
    ]
    return every(*(gain.at_most(0.01) for gain in gains))


@topic.claim(
    "SMOTE raises the calibration error of gradient boosting by at least 0.05 on rare-logit and nass-cds",
    source=f"{HIDDEN}; {BOUND}",
    published="expected calibration error +0.009 on average: real but small",
)
def smote_harms_trees(evidence: Evidence) -> Verdict:
    """Judge the probabilities of trees after SMOTE."""
    harm = [
        evidence.difference("calibration_rms", "boosting-smote", "boosting-threshold", **BALANCE, **data)
        for data in (RARE, DEATHS)
    ]
    return every(*(part.at_least(0.05) for part in harm))


@topic.claim(
    "undersampling harms the calibration of gradient boosting more than SMOTE does, by at least 0.05, on rare-logit "
    "and nass-cds",
    source=f"{HIDDEN}; {BOUND}",
    published="undersampling is the genuine danger: from 0.008 to 0.395 at a ratio of 70",
)
def undersampling_harms_trees_most(evidence: Evidence) -> Verdict:
    """Judge the two ways of resampling by the probabilities that they leave."""
    harm = [
        evidence.difference("calibration_rms", "boosting-undersample", "boosting-smote", **BALANCE, **data)
        for data in (RARE, DEATHS)
    ]
    return every(*(part.at_least(0.05) for part in harm))


@topic.claim(
    "SMOTE before gradient boosting gains AUC on rare-logit",
    source=HIDDEN,
    published="gains in discrimination typically outweigh the loss in calibration",
)
def smote_helps_trees_to_rank(evidence: Evidence) -> Verdict:
    """Judge the gain that is said to be worth the harm."""
    return evidence.difference("auc", "boosting-smote", "boosting-threshold", **BALANCE, **RARE).at_least(0)


@topic.claim(
    "the prior correction repairs undersampling: the calibration error of gradient boosting is then at most 0.03 above "
    "that without resampling, on rare-logit",
    source=f"{SAERENS}; {HIDDEN}; {BOUND}",
    published="the analytic correction repairs undersampling",
)
def correction_repairs_undersampling(evidence: Evidence) -> Verdict:
    """Judge Bayes' rule where rows were dropped by chance."""
    repaired, plain = "boosting-undersample-corrected", "boosting-threshold"
    return evidence.difference("calibration_rms", repaired, plain, **BALANCE, **RARE).at_most(0.03)


@topic.claim(
    "the prior correction does not repair SMOTE: the calibration error of logistic regression stays at least 0.005 "
    "above that without resampling, on rare-logit",
    source=f"{HIDDEN}; {BOUND}",
    published="the correction does not transfer to SMOTE, which distorts the densities of the classes",
)
def correction_does_not_repair_smote(evidence: Evidence) -> Verdict:
    """Judge the same rule where rows were made up."""
    repaired, plain = "logistic-smote-corrected", "logistic-threshold"
    return evidence.difference("calibration_rms", repaired, plain, **BALANCE, **RARE).at_least(0.005)


@topic.claim(
    "flagging from 0.5 on costs at least 0.02 more than from the theoretical threshold of 1/6, on rare-logit",
    source=f"{ELKAN}; {BOUND}",
)
def theory_beats_half(evidence: Evidence) -> Verdict:
    """Judge the default of libraries at unequal costs."""
    return evidence.difference("expected_cost", "half", "cost-theory", **CHOICE, **RARE).at_least(0.02)


@topic.claim(
    "choosing the threshold of lowest cost on 1,250 validation rows gains at most 0.005 over the theoretical one, for "
    "a logistic regression on rare-logit",
    source=f"{ELKAN}; {BOUND}",
    blocks=20,
)
def theory_needs_no_validation(evidence: Evidence) -> Verdict:
    """Judge what a search gains where probabilities are right."""
    return evidence.difference("expected_cost", "cost-theory", "cost-empirical", **CHOICE, **RARE).at_most(0.005)


@topic.claim(
    "Youden's threshold costs at least 0.02 more than the theoretical one where a missed event costs 5 false alarms, "
    "on rare-logit",
    source=f"{ELKAN}; by arithmetic Youden's index is the cost at the ratio of other rows to events, here 19; {BOUND}",
    blocks=20,
)
def youden_has_its_own_costs(evidence: Evidence) -> Verdict:
    """Judge an index that knows no costs."""
    return evidence.difference("expected_cost", "youden", "cost-theory", **CHOICE, **RARE).at_least(0.02)


@topic.claim(
    "where a missed event costs 20 false alarms, the threshold with the best F1 costs at least 0.1 more than the "
    "theoretical one, on rare-logit",
    source=f"{LIPTON}; {BOUND}",
    published="the threshold with the best F1 is half of that F1, whatever errors cost",
)
def f1_has_its_own_costs(evidence: Evidence) -> Verdict:
    """Judge a second index that knows no costs."""
    where = {**CHOICE, **RARE, "cost_ratio": 20.0}
    return evidence.difference("expected_cost", "f1", "cost-theory", **where).at_least(0.1)


@topic.claim(
    "if the odds of events grow fourfold after training, the theoretical threshold costs at least 0.05 more than the "
    "best one, on rare-logit",
    source=f"{SAERENS}; {BOUND}",
)
def thresholds_age(evidence: Evidence) -> Verdict:
    """Judge a threshold on probabilities whose prior is out of date."""
    return evidence.mean("cost_regret", "cost-theory", **CHOICE, **RARE, **MORE_EVENTS).at_least(0.05)


@topic.claim(
    "re-estimating the rate of events on the unlabelled test rows removes at least 0.05 of that cost, on rare-logit",
    source=f"{SAERENS}; {BOUND}",
)
def thresholds_can_be_renewed(evidence: Evidence) -> Verdict:
    """Judge the remedy that needs no new labels."""
    where = {**CHOICE, **RARE, **MORE_EVENTS}
    return evidence.difference("expected_cost", "cost-theory", "cost-adapted", **where).at_least(0.05)


@topic.claim(
    "with 10 % flipped labels and a missed event at 20 false alarms, the theoretical threshold costs at least 0.2 more "
    "than Youden's, on rare-logit",
    source=f"{CORRUPTED}; {BOUND}",
    published="the balanced error can be optimised without knowledge of the corruption",
)
def noise_breaks_the_theory(evidence: Evidence) -> Verdict:
    """Judge probabilities that are at least the rate of flips: nearly all of them exceed 1/21."""
    where = {**CHOICE, **RARE, **NOISY, "cost_ratio": 20.0}
    return evidence.difference("expected_cost", "cost-theory", "youden", **where).at_least(0.2)


@topic.claim(
    "a threshold chosen for a precision of at least 0.2 on 1,250 validation rows has one of at least 0.15 in the "
    "test rows, on rare-logit",
    source=f"a tacit assumption of choosing an operating point on a validation set; {BOUND}",
)
def precision_is_kept(evidence: Evidence) -> Verdict:
    """Judge the optimism of a threshold that just met its demand; the mean is over blocks."""
    return evidence.mean("precision", "recall-at-precision", **CHOICE, **RARE).at_least(0.15)
