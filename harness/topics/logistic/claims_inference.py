"""Claims about intervals of odds ratios.

SMALL has 50 rows and RARE 200, both with 10 expected events and 5 coefficients besides the intercept; the true odds
ratio is 4. A cell of these has 6,000 data sets, 12 blocks of 500; the bootstrap has the first 2,500 of them. A cell
with 1,000 rows has 3,000. The project's own bounds were set after a look at data of another seed.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.logistic import topic

OWN = "the bound is this project's"
HEINZE = "Heinze & Schemper 2002, A solution to the problem of separation in logistic regression, Statist. Med. 21"
WALD = f"{HEINZE}, which prefers the profile; {OWN}"
HAUCK = "Hauck & Donner 1977, Wald's test as applied to hypotheses in logit analysis, JASA 72"
FIRTH = f"Firth 1993, Bias reduction of maximum likelihood estimates, Biometrika 80; {OWN}"
EFRON = f"Efron & Tibshirani 1993, An introduction to the bootstrap, chapters 13 and 14; {OWN}"
PRENTICE = "Prentice & Pyke 1979, Logistic disease incidence models and case-control studies, Biometrika 66"
GAIL = f"Gail, Wieand & Piantadosi 1984, Biased estimates of treatment effect, Biometrika 71; {OWN}"
MAGDER = "Magder & Hughes 1997, Logistic regression when the outcome is measured with uncertainty, AJE 146"
FISCHER = "Fischer & Lewis 2021, A robust and efficient algorithm to find profile likelihood intervals"

BLOCKS, BOOTSTRAP_BLOCKS = 12, 5
TASK: dict[str, Scalar] = {"task": "inference", "columns": 5, "correlation": 0.0, "exposed": 0.5, "odds_ratio": 4.0}
CELL: dict[str, Scalar] = {**TASK, "dataset": "binary-exposure", "replications": 500}
SMALL: dict[str, Scalar] = {**CELL, "rows": 50, "event_rate": 0.2}
RARE: dict[str, Scalar] = {**CELL, "rows": 200, "event_rate": 0.05}
CONTINUOUS: dict[str, Scalar] = {**SMALL, "dataset": "continuous-exposure"}
LARGE: dict[str, Scalar] = {**CELL, "rows": 1_000, "event_rate": 0.2, "replications": 250}
LARGE_RARE: dict[str, Scalar] = {**LARGE, "event_rate": 0.05}


@topic.claim(
    "at 50 rows and 10 events the Wald interval exists and contains the odds ratio in at most 93 % of the data sets",
    source=WALD,
    blocks=BLOCKS,
)
def wald_undercovers_at_small_n(evidence: Evidence) -> Verdict:
    """Judge Wald where separation counts as no interval."""
    return evidence.mean("coverage", "wald", **SMALL).at_most(0.93)


@topic.claim(
    "at 200 rows and 10 events the Wald interval exists and contains the odds ratio in at most 93 % of the data sets",
    source=WALD,
    blocks=BLOCKS,
)
def wald_undercovers_at_rare_events(evidence: Evidence) -> Verdict:
    """Judge Wald where separation counts as no interval."""
    return evidence.mean("coverage", "wald", **RARE).at_most(0.93)


@topic.claim(
    "at 50 rows and 10 events the Wald intervals that exist contain the odds ratio in at most 93 % of the data sets",
    source=WALD,
    blocks=BLOCKS,
)
def finite_wald_undercovers(evidence: Evidence) -> Verdict:
    """Judge Wald without the separated data sets."""
    return evidence.mean("finite_coverage", "wald", **SMALL).at_most(0.93)


@topic.claim(
    "at 50 rows and 10 events the Wald interval lies above the odds ratio in at most half of the nominal 2.5 %",
    source=f"{HAUCK}; {OWN}",
    blocks=BLOCKS,
)
def wald_misses_on_one_side(evidence: Evidence) -> Verdict:
    """Judge the symmetry of an interval whose standard error grows with the estimate."""
    return evidence.mean("too_high", "wald", **SMALL).at_most(0.0125)


@topic.claim(
    "at 50 rows and 10 events the profile-likelihood interval covers at least 94 %",
    source=f"{FISCHER}; {OWN}",
    blocks=BLOCKS,
)
def profile_covers_at_small_n(evidence: Evidence) -> Verdict:
    """Judge the likelihood without a penalty."""
    return evidence.mean("coverage", "profile", **SMALL).at_least(0.94)


@topic.claim(
    "at 200 rows and 10 events the profile-likelihood interval covers at least 94 %",
    source=f"{FISCHER}; {OWN}",
    blocks=BLOCKS,
)
def profile_covers_at_rare_events(evidence: Evidence) -> Verdict:
    """Judge the likelihood without a penalty."""
    return evidence.mean("coverage", "profile", **RARE).at_least(0.94)


@topic.claim(
    "at 50 rows and 10 events the profile of Firth's penalised likelihood covers 95 %, within 0.03",
    source=f"{HEINZE}; {OWN}",
    blocks=BLOCKS,
)
def penalised_profile_covers_at_small_n(evidence: Evidence) -> Verdict:
    """Judge the interval that the source recommends."""
    return evidence.mean("coverage", "firth-profile", **SMALL).within(0.03, of=0.95)


@topic.claim(
    "at 200 rows and 10 events the profile of Firth's penalised likelihood covers at least 93 %",
    source=f"{HEINZE}; {OWN}",
    blocks=BLOCKS,
)
def penalised_profile_covers_at_rare_events(evidence: Evidence) -> Verdict:
    """Judge the interval that the source recommends."""
    return evidence.mean("coverage", "firth-profile", **RARE).at_least(0.93)


@topic.claim(
    "at 50 rows, 10 events and a continuous exposure the profile of Firth's penalised likelihood covers at least 93 %",
    source=f"{HEINZE}; {OWN}",
    blocks=BLOCKS,
)
def penalised_profile_covers_continuous(evidence: Evidence) -> Verdict:
    """Judge the interval that the source recommends, on an exposure that is not binary."""
    return evidence.mean("coverage", "firth-profile", **CONTINUOUS).at_least(0.93)


@topic.claim(
    "at 50 rows and 10 events Firth's median error of the log odds ratio is at most half that of maximum likelihood",
    source=FIRTH,
    blocks=BLOCKS,
)
def firth_reduces_bias(evidence: Evidence) -> Verdict:
    """Judge the median, which infinite estimates enter."""
    return evidence.ratio("median_bias", "firth-profile", "profile", **SMALL).at_most(0.5)


@topic.claim(
    "at 50 rows and 10 events the percentile bootstrap contains the odds ratio in at most 90 % of the data sets",
    source=EFRON,
    blocks=BOOTSTRAP_BLOCKS,
)
def percentile_undercovers(evidence: Evidence) -> Verdict:
    """Judge percentiles of an estimate that is biased away from 0."""
    return evidence.mean("coverage", "bootstrap-percentile", **SMALL).at_most(0.90)


@topic.claim(
    "at 50 rows and 10 events the BCa bootstrap covers at least 0.02 more than percentiles",
    source=EFRON,
    blocks=BOOTSTRAP_BLOCKS,
)
def bca_gains(evidence: Evidence) -> Verdict:
    """Judge what the correction for bias gains."""
    return evidence.difference("coverage", "bootstrap-bca", "bootstrap-percentile", **SMALL).at_least(0.02)


@topic.claim(
    "at 1,000 rows and 200 events the Wald interval covers 95 %, within 0.03",
    source=f"Wald 1943, Tests of statistical hypotheses concerning several parameters; {OWN}",
    blocks=BLOCKS,
)
def wald_covers_at_large_n(evidence: Evidence) -> Verdict:
    """Judge the approximation where it should hold."""
    return evidence.mean("coverage", "wald", **LARGE).within(0.03, of=0.95)


@topic.claim(
    "at 1,000 rows and 200 events the profile-likelihood interval is as wide as the Wald interval, within 2 %",
    source=f"no published figure: {OWN}",
    blocks=BLOCKS,
)
def profile_is_wald_at_large_n(evidence: Evidence) -> Verdict:
    """Judge whether the likelihood is quadratic by then."""
    return evidence.ratio("median_width", "profile", "wald", **LARGE).within(0.02)


@topic.claim(
    "at 1,000 rows and 200 events an interval that leaves out independent covariates covers at most 93 %",
    source=GAIL,
    blocks=BLOCKS,
)
def odds_ratios_do_not_collapse(evidence: Evidence) -> Verdict:
    """Judge the odds ratio of the exposure alone, which is nearer to 1 though nothing confounds it."""
    return evidence.mean("coverage", "unadjusted", **LARGE).at_most(0.93)


@topic.claim(
    "sampling 1,000 rows by their outcome leaves the coverage of the profile-likelihood interval at 95 %, within 0.03",
    source=f"{PRENTICE}; {OWN}",
    blocks=BLOCKS,
)
def case_control_keeps_odds_ratios(evidence: Evidence) -> Verdict:
    """Judge odds ratios where half of the rows are events instead of 5 %."""
    return evidence.mean("coverage", "profile", **LARGE_RARE, scenario="case_control(0.5)").within(0.03, of=0.95)


@topic.claim(
    "where 5 % have the event, 1,000 rows at random give intervals at least 1.8 times as wide as 1,000 rows by outcome",
    source=f"{PRENTICE}; {OWN}",
    blocks=BLOCKS,
)
def case_control_gains(evidence: Evidence) -> Verdict:
    """Judge what sampling by outcome gains."""
    sampling = ("scenario", "clean", "case_control(0.5)")
    return evidence.speedup("median_width", "profile", sampling, **LARGE_RARE).at_least(1.8)


@topic.claim(
    "with 10 % of the outcomes flipped, the Wald interval of 1,000 rows covers at most 50 %",
    source=f"{MAGDER}; {OWN}",
    blocks=BLOCKS,
)
def flipped_outcomes_shrink_odds_ratios(evidence: Evidence) -> Verdict:
    """Judge what misclassification of both kinds does to an odds ratio."""
    return evidence.mean("coverage", "wald", **LARGE, scenario="label_noise(0.1)").at_most(0.5)


@topic.claim(
    "with 20 % of rare events missed and none made up, the profile-likelihood interval still covers at least 93 %",
    source=f"{MAGDER}; {OWN}",
    blocks=BLOCKS,
)
def missed_events_do_little_harm(evidence: Evidence) -> Verdict:
    """Judge misclassification that spares those without the event."""
    return evidence.mean("coverage", "profile", **LARGE_RARE, scenario="missed_events(0.2)").at_least(0.93)
