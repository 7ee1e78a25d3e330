"""Claims about penalties and solvers.

Unless a claim says otherwise, penalties are judged on 500 rows and 200 columns, 10 of which have an effect, and solvers
on 2,000 rows and 50 columns, to a relative suboptimality of 1e-8. Texts are 4,000 package descriptions, and a weak L1
penalty is a hundredth of the least at which all coefficients are 0.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

TIBSHIRANI = "Tibshirani 1996, Regression shrinkage and selection via the lasso"
STABILITY = "Meinshausen & Bühlmann 2010, Stability selection, theorem 1"
SCIKIT = "scikit-learn 1.9, LogisticRegression, on the choice of a solver; the bound is this project's"
SKGLM = "Bertrand et al. 2022, Beyond L1: faster and better sparse models with skglm; the bound is this project's"
NOISE = "Frénay & Verleysen 2014, Classification in the presence of label noise; the bound is this project's"

KNOWN: dict[str, Scalar] = {"task": "regularisation", "dataset": "synthetic-logit", "support": 10, "signal": 2.0}
DEFAULT: dict[str, Scalar] = {**KNOWN, "rows": 500, "columns": 200, "correlation": 0.0}
FEW: dict[str, Scalar] = {**DEFAULT, "rows": 200}
CORRELATED: dict[str, Scalar] = {**DEFAULT, "correlation": 0.9}
LARGE: dict[str, Scalar] = {**KNOWN, "rows": 4_000, "columns": 200, "correlation": 0.0}
SOLVED: dict[str, Scalar] = {"task": "solvers", "rows": 2_000, "columns": 50, "target": 1e-8}
TEXTS: dict[str, Scalar] = {
    "task": "solvers",
    "dataset": "debian-descriptions",
    "rows": 4_000,
    "penalty": "l1",
    "l1": 0.01,
    "target": 1e-8,
}
BLOCKS = 10


@topic.claim(
    "at 200 rows, L1 finds at least nine in ten of the columns that matter: mean recall at least 0.9",
    source=f"{TIBSHIRANI}; the bound is this project's",
    blocks=30,
)
def l1_finds_the_support(evidence: Evidence) -> Verdict:
    """Judge recall of the penalty that cross-validation chooses."""
    return evidence.mean("support_recall", "l1", **FEW).at_least(0.9)


@topic.claim(
    "L1 with the one-standard-error rule has a support F1 at least 0.3 above that of L2, which drops no column",
    source=f"{TIBSHIRANI}; the bound is this project's",
    blocks=BLOCKS,
)
def l1_recovers_the_support(evidence: Evidence) -> Verdict:
    """Judge precision and recall together."""
    return evidence.difference("support_f1", "l1[one_se=true]", "l2", **DEFAULT).at_least(0.3)


@topic.claim(
    "where neighbouring columns correlate by 0.9, L2 has a lower log loss than L1",
    source=TIBSHIRANI,
    published="in linear regression, ridge is best with many small effects, L1 with a few to some moderate ones",
    blocks=BLOCKS,
)
def l2_predicts_better_under_correlation(evidence: Evidence) -> Verdict:
    """Judge the common advice where few columns have an effect."""
    return evidence.difference("log_loss", "l2", "l1", **CORRELATED).at_most(0.0)


@topic.claim(
    "without correlation and with few effects, the log loss of L1 is at least 0.02 nat below that of L2",
    source=f"{TIBSHIRANI}; the bound is this project's",
    blocks=BLOCKS,
)
def l1_predicts_better_when_sparse(evidence: Evidence) -> Verdict:
    """Judge what it gains that the truth is sparse."""
    return evidence.difference("log_loss", "l1", "l2", **DEFAULT).at_most(-0.02)


@topic.claim(
    "stability selection has at least 10 false discoveries fewer than L1 with a penalty chosen by cross-validation",
    source=f"{STABILITY}; the bound is this project's",
    blocks=BLOCKS,
)
def stability_lowers_false_discoveries(evidence: Evidence) -> Verdict:
    """Judge numbers of columns without an effect that are selected."""
    return evidence.difference("false_discoveries", "stability", "l1", **DEFAULT).at_most(-10)


@topic.claim(
    "stability selection from 60 % of the halves on keeps its promise of at most 1 false discovery on average where "
    "neighbours correlate by 0.9",
    source=STABILITY,
    blocks=30,
)
def stability_keeps_its_bound(evidence: Evidence) -> Verdict:
    """Judge the bound where columns without an effect are not exchangeable, as the theorem assumes."""
    return evidence.mean("false_discoveries", "stability[threshold=0.6]", **CORRELATED).at_most(1.0)


@topic.claim(
    "flipping 20 % of the training labels shrinks unpenalised coefficients to at most 0.6 of their size at 4,000 rows",
    source=NOISE,
    blocks=6,
)
def noise_shrinks_coefficients(evidence: Evidence) -> Verdict:
    """Judge the length of the coefficients along the true ones."""
    over = ("scenario", "label_noise(0.2)", "clean")
    return evidence.speedup("coefficient_scale", "none", over, **LARGE).at_most(0.6)


@topic.claim(
    "flipping 20 % of the training labels lowers the AUC of unpenalised coefficients by at most 3 % at 4,000 rows",
    source=NOISE,
    blocks=6,
)
def noise_hardly_moves_auc(evidence: Evidence) -> Verdict:
    """Judge the order of the rows."""
    return evidence.speedup("auc", "none", ("scenario", "label_noise(0.2)", "clean"), **LARGE).at_least(0.97)


@topic.claim(
    "on badly scaled columns newton-cholesky needs at most a twentieth of the CPU time of lbfgs",
    source=SCIKIT,
    published="newton-cholesky is a good choice where rows far outnumber columns",
    blocks=6,
)
def newton_is_faster_when_badly_scaled(evidence: Evidence) -> Verdict:
    """Judge the time to the same optimum."""
    where: dict[str, Scalar] = {**SOLVED, "penalty": "l2", "dataset": "badly-scaled"}
    return evidence.ratio("solve.cpu_s", "lbfgs", "newton-cholesky", **where).at_least(20)


@topic.claim(
    "on texts with a weak L1 penalty, skglm needs at most a tenth of the CPU time of saga",
    source=SKGLM,
    blocks=10,
)
def working_sets_are_faster_than_saga(evidence: Evidence) -> Verdict:
    """Judge coordinate descent with working sets."""
    return evidence.ratio("solve.cpu_s", "saga", "skglm", **TEXTS).at_least(10)


@topic.claim(
    "on texts with a weak L1 penalty, liblinear, by coordinate descent, needs at most a tenth of the CPU time of saga",
    source="no published figure: the bound is this project's",
    blocks=10,
)
def liblinear_is_faster_than_saga(evidence: Evidence) -> Verdict:
    """Judge coordinate descent that leaves columns out for a while."""
    return evidence.ratio("solve.cpu_s", "saga", "liblinear", **TEXTS).at_least(10)
