"""What is said of off-policy estimators.

Errors are claimed of 1,000 rounds and 10 actions, logged by a policy that leans towards what pays, unless a claim says
otherwise; weights are heavy in the scenario heavy_weights(3), where that policy shuns what pays.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.ope import topic

DUDIK = "Dudik, Langford & Li 2011, Doubly robust policy evaluation and learning, arXiv 1103.4601"
EXAMPLE = "Open Bandit Pipeline 0.5.2, examples/multiclass"
MIPS = "Saito & Joachims 2022, Off-policy evaluation for large action spaces via embeddings, arXiv 2202.06317"
SWITCH = "Wang, Agarwal & Dudik 2017, Optimal and adaptive off-policy evaluation, arXiv 1612.01205"
SHRINK = "Su et al. 2020, Doubly robust off-policy evaluation with shrinkage, arXiv 1907.09623"
BETTING = "Waudby-Smith & Ramdas 2024, Estimating means of bounded random variables by betting, arXiv 2010.09686"
ISSUE = "zr-obp, issue 187"

DEFAULT: dict[str, Scalar] = {"rounds": 1_000, "actions": 10, "temperature": 1.0}
WRONG_MODEL: dict[str, Scalar] = {"task": "value", "dataset": "nonlinear-rewards", **DEFAULT}
RIGHT_MODEL: dict[str, Scalar] = {"task": "value", "dataset": "linear-rewards", **DEFAULT}
DIGITS: dict[str, Scalar] = {"task": "value-real", "dataset": "digits-bandit"}
INTERVAL: dict[str, Scalar] = {"task": "interval", "dataset": "nonlinear-rewards", **DEFAULT}
MANY: dict[str, Scalar] = {"task": "value", "dataset": "nonlinear-rewards", "rounds": 1_000, "temperature": 1.0}
HEAVY: dict[str, Scalar] = {"scenario": "heavy_weights(3)"}


@topic.claim("DR has at most half the MSE of IPS, whether its model is right or wrong", source=DUDIK)
def dr_beats_ips(evidence: Evidence) -> Verdict:
    """Judge the worth of a model that is corrected, over both worlds."""
    return evidence.ratio("mse", "dr", "ips", task="value", **DEFAULT).at_most(0.5)


@topic.claim("SNIPS has at most half the MSE of IPS", source=DUDIK)
def snips_beats_ips(evidence: Evidence) -> Verdict:
    """Judge the worth of dividing by the sum of the weights, over both worlds."""
    return evidence.ratio("mse", "snips", "ips", task="value", **DEFAULT).at_most(0.5)


@topic.claim("under a wrong model the bias of DM is at least twice that of IPS", source=DUDIK)
def dm_is_more_biased_than_ips(evidence: Evidence) -> Verdict:
    """Judge the price of trusting a wrong model, against weights alone."""
    return evidence.ratio("bias", "dm", "ips", **WRONG_MODEL).at_least(2)


@topic.claim("under a wrong model the bias of DM is at least twice that of DR", source=DUDIK)
def dm_is_more_biased_than_dr(evidence: Evidence) -> Verdict:
    """Judge the price of trusting a wrong model, against correcting it."""
    return evidence.ratio("bias", "dm", "dr", **WRONG_MODEL).at_least(2)


@topic.claim(
    "with a right model and propensities that are off by 30 % exploration DR has at most half the bias of IPS",
    source=DUDIK,
)
def dr_is_doubly_robust(evidence: Evidence) -> Verdict:
    """Judge the other half of double robustness."""
    return evidence.ratio("bias", "dr", "ips", scenario="wrong_propensities(0.3)", **RIGHT_MODEL).at_most(0.5)


@topic.claim(
    "on the digits the relative error of DM with a heavily shrunk model is at least 8 times that of IPS",
    source=EXAMPLE,
    published="DM 0.437, IPS 0.0303: 14x",
)
def dm_fails_on_digits(evidence: Evidence) -> Verdict:
    """Judge the published order of DM and IPS, with the published model."""
    return evidence.ratio("relative_error", "obp-dm[model=obp-boosting]", "ips", **DIGITS).at_least(8)


@topic.claim(
    "on the digits the relative error of DR is at most that of IPS",
    source=EXAMPLE,
    published="DR 0.0162, SNIPS 0.0228, IPS 0.0303: 0.53x",
)
def dr_wins_on_digits(evidence: Evidence) -> Verdict:
    """Judge the published order of DR and IPS, with the published model."""
    return evidence.ratio("relative_error", "obp-dr[model=obp-boosting]", "ips", **DIGITS).at_most(1)


@topic.claim(
    "on the Open Bandit sample DM has at most 0.7 times the relative error of IPS",
    source="Open Bandit Pipeline 0.5.2, examples/obd",
    published="random to bts, all: DM 0.157, IPS 0.311 over 30 resamples: 0.50x",
)
def dm_wins_on_open_bandit(evidence: Evidence) -> Verdict:
    """Judge whether rare rewards turn the order of DM and IPS round."""
    return evidence.ratio("relative_error", "dm", "ips", task="value-real", dataset="open-bandit-all").at_most(0.7)


@topic.claim(
    "with heavy weights a normal interval on IPS that is to cover 95 % covers at most 85 %",
    source="Thomas, Theocharous & Ghavamzadeh 2015, High-confidence off-policy evaluation",
)
def normal_undercovers(evidence: Evidence) -> Verdict:
    """Judge the normal approximation where few rounds carry all weight, against a bound that cannot undercover."""
    where = INTERVAL | HEAVY
    return evidence.difference("coverage_error", "normal-ips", "hoeffding-ips", **where).at_least(0.1)


@topic.claim("a betting interval on IPS is at most 0.7 times as wide as empirical Bernstein's", source=BETTING)
def betting_beats_bernstein(evidence: Evidence) -> Verdict:
    """Judge the tighter of two guarantees."""
    return evidence.ratio("width", "betting-ips", "bernstein-ips", **INTERVAL).at_most(0.7)


@topic.claim("a betting interval on IPS is at most 0.5 times as wide as Hoeffding's", source=BETTING)
def betting_beats_hoeffding(evidence: Evidence) -> Verdict:
    """Judge the tighter of two guarantees."""
    return evidence.ratio("width", "betting-ips", "hoeffding-ips", **INTERVAL).at_most(0.5)


@topic.claim(
    "a betting interval on IPS covers what it is to cover, within 0.01, with heavy weights too", source=BETTING
)
def betting_covers(evidence: Evidence) -> Verdict:
    """Judge the guarantee where approximations fail."""
    where = INTERVAL | HEAVY
    return evidence.difference("coverage_error", "betting-ips", "hoeffding-ips", **where).at_most(0.01)


@topic.claim(
    "MIPS with true embeddings gains at least 3 times more over IPS in MSE at 200 actions than at 20",
    source=MIPS,
    published="gains that grow with the number of actions",
)
def mips_grows(evidence: Evidence) -> Verdict:
    """Judge the worth of embeddings as actions grow many."""
    return evidence.growth("mse", "ips", "mips", ("actions", 20, 200), **MANY).at_least(3)


@topic.claim(
    "MIPS with true embeddings gains at least 2 times more over IPS in MSE at 1,000 actions than at 200", source=MIPS
)
def mips_grows_on(evidence: Evidence) -> Verdict:
    """Judge whether the worth of embeddings goes on to grow."""
    return evidence.growth("mse", "ips", "mips", ("actions", 200, 1_000), **MANY).at_least(2)


@topic.claim("with heavy weights and a right model SWITCH has at most the MSE of DR", source=SWITCH)
def switch_beats_dr(evidence: Evidence) -> Verdict:
    """Judge the worth of trusting a right model where weights are large; the switch is chosen by SLOPE."""
    return evidence.ratio("mse", "switch-dr-tuned", "dr", **RIGHT_MODEL, **HEAVY).at_most(1)


@topic.claim("with heavy weights and a right model shrunk weights have at most the MSE of DR", source=SHRINK)
def shrinkage_beats_dr(evidence: Evidence) -> Verdict:
    """Judge the worth of shrinking weights towards a right model; how much is chosen by SLOPE."""
    return evidence.ratio("mse", "dr-os-tuned", "dr", **RIGHT_MODEL, **HEAVY).at_most(1)


@topic.claim("with light weights and a wrong model SWITCH has at most the MSE of DR", source=SWITCH)
def switch_does_no_harm(evidence: Evidence) -> Verdict:
    """Judge whether SLOPE notices that the model is wrong."""
    return evidence.ratio("mse", "switch-dr-tuned", "dr", **WRONG_MODEL).at_most(1)


@topic.claim(
    "with 10,000 rounds the delta-method interval of SNIPS covers 95 %, within 0.02",
    source="Owen 2013, Monte Carlo theory, methods and examples",
)
def snips_covers(evidence: Evidence) -> Verdict:
    """Judge the delta method where weights are light, against a bound that cannot undercover."""
    where = INTERVAL | {"rounds": 10_000}
    return evidence.difference("coverage_error", "normal-snips", "hoeffding-ips", **where).at_most(0.02)


@topic.claim("obp's interval of SNIPS is at least 1.8 times as wide as the delta method's", source=ISSUE)
def obp_interval_is_too_wide(evidence: Evidence) -> Verdict:
    """Judge what it costs to keep the sum of the weights as it is in a bootstrap."""
    return evidence.ratio("width", "obp-snips", "normal-snips", **INTERVAL).at_least(1.8)
