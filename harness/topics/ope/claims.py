"""Claims about off-policy estimators.

Unless a claim says otherwise, errors are those on 1,000 rounds and 10 actions, logged by a policy that prefers actions
with high rewards. "Heavy weights" is the scenario heavy_weights(3), in which the logging policy avoids such actions.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.ope import topic

DUDIK = "Dudik, Langford & Li 2011, Doubly robust policy evaluation and learning, arXiv 1103.4601"
SNIPS = "Swaminathan & Joachims 2015, The self-normalized estimator for counterfactual learning"
EXAMPLE = "Open Bandit Pipeline 0.5.2, examples/multiclass"
MIPS = "Saito & Joachims 2022, Off-policy evaluation for large action spaces via embeddings, arXiv 2202.06317"
SWITCH = "Wang, Agarwal & Dudik 2017, Optimal and adaptive off-policy evaluation, arXiv 1612.01205"
SHRINK = "Su et al. 2020, Doubly robust off-policy evaluation with shrinkage, arXiv 1907.09623"
BETTING = "Waudby-Smith & Ramdas 2024, Estimating means of bounded random variables by betting, arXiv 2010.09686"
ISSUE = "zr-obp, issue 187"
BOUND = "the bound is this project's"

DEFAULT: dict[str, Scalar] = {"rounds": 1_000, "actions": 10, "temperature": 1.0}
WRONG_MODEL: dict[str, Scalar] = {"task": "value", "dataset": "nonlinear-rewards", **DEFAULT}
RIGHT_MODEL: dict[str, Scalar] = {"task": "value", "dataset": "linear-rewards", **DEFAULT}
DIGITS: dict[str, Scalar] = {"task": "value-real", "dataset": "digits-bandit"}
INTERVAL: dict[str, Scalar] = {"task": "interval", "dataset": "nonlinear-rewards", **DEFAULT}
MANY: dict[str, Scalar] = {"task": "value", "dataset": "nonlinear-rewards", "rounds": 1_000, "temperature": 1.0}
HEAVY: dict[str, Scalar] = {"scenario": "heavy_weights(3)"}


@topic.claim(
    "DR has at most half the MSE of IPS, with a right and with a wrong reward model", source=f"{DUDIK}; {BOUND}"
)
def dr_beats_ips(evidence: Evidence) -> Verdict:
    """Judge what a corrected model gains, over both worlds."""
    return evidence.ratio("mse", "dr", "ips", task="value", **DEFAULT).at_most(0.5)


@topic.claim("SNIPS has at most half the MSE of IPS", source=f"{SNIPS}; {BOUND}")
def snips_beats_ips(evidence: Evidence) -> Verdict:
    """Judge what the division by the sum of the weights gains, over both worlds."""
    return evidence.ratio("mse", "snips", "ips", task="value", **DEFAULT).at_most(0.5)


@topic.claim("with a wrong reward model the bias of DM is at least twice that of IPS", source=f"{DUDIK}; {BOUND}")
def dm_is_more_biased_than_ips(evidence: Evidence) -> Verdict:
    """Judge the bias of a wrong model against weights alone."""
    return evidence.ratio("bias", "dm", "ips", **WRONG_MODEL).at_least(2)


@topic.claim("with a wrong reward model the bias of DM is at least twice that of DR", source=f"{DUDIK}; {BOUND}")
def dm_is_more_biased_than_dr(evidence: Evidence) -> Verdict:
    """Judge the bias of a wrong model against its correction by weights."""
    return evidence.ratio("bias", "dm", "dr", **WRONG_MODEL).at_least(2)


@topic.claim(
    "with a right model and propensities that overstate exploration by 30 %, DR has at most half the bias of IPS",
    source=f"{DUDIK}; {BOUND}",
)
def dr_is_doubly_robust(evidence: Evidence) -> Verdict:
    """Judge double robustness where the propensities are wrong."""
    return evidence.ratio("bias", "dr", "ips", scenario="wrong_propensities(0.3)", **RIGHT_MODEL).at_most(0.5)


@topic.claim(
    "on the digits, DM with the heavily shrunk model of obp's example has at least 8 times the relative error of IPS",
    source=f"{EXAMPLE}; {BOUND}",
    published="DM 0.437, IPS 0.0303: 14x",
)
def dm_fails_on_digits(evidence: Evidence) -> Verdict:
    """Judge the published order of DM and IPS, with the published model."""
    return evidence.ratio("relative_error", "obp-dm[model=obp-boosting]", "ips", **DIGITS).at_least(8)


@topic.claim(
    "on the digits, the relative error of obp's DR with the same model is at most that of IPS",
    source=EXAMPLE,
    published="DR 0.0162, SNIPS 0.0228, IPS 0.0303: DR has 0.53x the error of IPS",
)
def dr_wins_on_digits(evidence: Evidence) -> Verdict:
    """Judge the published order of DR and IPS, with the published model."""
    return evidence.ratio("relative_error", "obp-dr[model=obp-boosting]", "ips", **DIGITS).at_most(1)


@topic.claim(
    "on the Open Bandit sample DM has at most 0.7 times the relative error of IPS",
    source=f"Open Bandit Pipeline 0.5.2, examples/obd; {BOUND}",
    published="random to bts, all: DM 0.157, IPS 0.311 over 30 resamples: 0.50x",
)
def dm_wins_on_open_bandit(evidence: Evidence) -> Verdict:
    """Judge whether the order of DM and IPS is reversed where rewards are rare."""
    return evidence.ratio("relative_error", "dm", "ips", task="value-real", dataset="open-bandit-all").at_most(0.7)


@topic.claim(
    "with heavy weights a nominal 95 % normal interval on IPS covers at most 85 %",
    source=f"Thomas, Theocharous & Ghavamzadeh 2015, High-confidence off-policy evaluation; {BOUND}",
)
def normal_undercovers(evidence: Evidence) -> Verdict:
    """Judge the normal approximation where few rounds have most of the weight."""
    return evidence.mean("coverage", "normal-ips", **(INTERVAL | HEAVY)).at_most(0.85)


@topic.claim(
    "a betting interval on IPS is at most 0.7 times as wide as the empirical Bernstein interval",
    source=f"{BETTING}; {BOUND}",
)
def betting_beats_bernstein(evidence: Evidence) -> Verdict:
    """Judge the widths of two guaranteed intervals."""
    return evidence.ratio("width", "betting-ips", "bernstein-ips", **INTERVAL).at_most(0.7)


@topic.claim(
    "a betting interval on IPS is at most 0.5 times as wide as the Hoeffding interval", source=f"{BETTING}; {BOUND}"
)
def betting_beats_hoeffding(evidence: Evidence) -> Verdict:
    """Judge the widths of two guaranteed intervals."""
    return evidence.ratio("width", "betting-ips", "hoeffding-ips", **INTERVAL).at_most(0.5)


@topic.claim(
    "with heavy weights the coverage of a nominal 95 % betting interval on IPS falls short by at most 0.01",
    source=f"{BETTING}; {BOUND}",
)
def betting_covers(evidence: Evidence) -> Verdict:
    """Judge the guarantee where approximate intervals undercover."""
    return evidence.mean("coverage", "betting-ips", **(INTERVAL | HEAVY)).at_least(0.94)


@topic.claim(
    "with 50 actions, all of whose features the log has, the coverage of a nominal 95 % betting interval on MIPS falls "
    "short by at most 0.01",
    source=f"{BETTING}; {MIPS}, proposition 3.4; {BOUND}",
)
def betting_covers_with_all_features(evidence: Evidence) -> Verdict:
    """Judge the guarantee where its assumption holds."""
    return evidence.mean("coverage", "betting-mips", **(INTERVAL | {"actions": 50})).at_least(0.94)


@topic.claim(
    "with 50 actions, two of whose three features the log lacks, a betting interval on MIPS covers at most 50 %",
    source=f"{MIPS}, theorem 3.5; {BOUND}",
)
def betting_fails_with_a_direct_effect(evidence: Evidence) -> Verdict:
    """Judge the guarantee where its assumption is violated."""
    where = INTERVAL | {"actions": 50, "scenario": "unobserved_features(2)"}
    return evidence.mean("coverage", "betting-mips", **where).at_most(0.5)


@topic.claim(
    "the gain of MIPS with true embeddings over IPS (in MSE) is at least 3 times larger at 200 actions than at 20",
    source=f"{MIPS}; {BOUND}",
    published="1.38x at 10 actions, 12.38x at 5,000, with estimated weights of the embeddings",
)
def mips_grows(evidence: Evidence) -> Verdict:
    """Judge what embeddings gain as the number of actions grows."""
    return evidence.growth("mse", "ips", "mips", ("actions", 20, 200), **MANY).at_least(3)


@topic.claim(
    "the gain of MIPS with true embeddings over IPS is at least 2 times larger at 1,000 actions than at 200",
    source=f"{MIPS}; {BOUND}",
)
def mips_grows_on(evidence: Evidence) -> Verdict:
    """Judge whether the gain continues to grow."""
    return evidence.growth("mse", "ips", "mips", ("actions", 200, 1_000), **MANY).at_least(2)


# Tuned by a bound on the MSE, similar to the articles'. SLOPE would end at the model in almost all of these logs.
@topic.claim(
    "with heavy weights and a right model, the MSE of SWITCH, tuned by a bound, is at most that of DR", source=SWITCH
)
def switch_beats_dr(evidence: Evidence) -> Verdict:
    """Judge what using only the model gains where weights are large."""
    return evidence.ratio("mse", "switch-dr-tuned[by=bound]", "dr", **RIGHT_MODEL, **HEAVY).at_most(1)


@topic.claim(
    "with heavy weights and a right model, the MSE of DR with shrunk weights, tuned by a bound, is at most that of DR",
    source=SHRINK,
)
def shrinkage_beats_dr(evidence: Evidence) -> Verdict:
    """Judge what shrinking weights gains with a right model."""
    return evidence.ratio("mse", "dr-os-tuned[by=bound]", "dr", **RIGHT_MODEL, **HEAVY).at_most(1)


@topic.claim(
    "with heavy weights and a wrong model, the MSE of SWITCH, tuned by a bound, is at most that of the model alone",
    source=SWITCH,
)
def switch_beats_dm(evidence: Evidence) -> Verdict:
    """Judge whether a corrected model gains where neither the model nor the weights can be trusted."""
    return evidence.ratio("mse", "switch-dr-tuned[by=bound]", "dm", **WRONG_MODEL, **HEAVY).at_most(1)


@topic.claim(
    "with heavy weights and a wrong model, the MSE of DR with shrunk weights, tuned by a bound, is at most that of the "
    "model alone",
    source=SHRINK,
)
def shrinkage_beats_dm(evidence: Evidence) -> Verdict:
    """Judge the same for shrunk weights."""
    return evidence.ratio("mse", "dr-os-tuned[by=bound]", "dm", **WRONG_MODEL, **HEAVY).at_most(1)


@topic.claim(
    "with light weights and a wrong model, the MSE of SWITCH, tuned by SLOPE, is at most that of DR", source=SWITCH
)
def switch_does_no_harm(evidence: Evidence) -> Verdict:
    """Judge whether SLOPE detects that the model is wrong."""
    return evidence.ratio("mse", "switch-dr-tuned", "dr", **WRONG_MODEL).at_most(1)


@topic.claim(
    "with 10,000 rounds the delta-method interval of SNIPS covers 93 to 97 %, nominally 95 %",
    source=f"Owen 2013, Monte Carlo theory, methods and examples; {BOUND}",
)
def snips_covers(evidence: Evidence) -> Verdict:
    """Judge the delta method where weights are light."""
    return evidence.mean("coverage", "normal-snips", **(INTERVAL | {"rounds": 10_000})).within(0.02, of=0.95)


@topic.claim("obp's interval of SNIPS is at least 1.8 times as wide as the delta method's", source=f"{ISSUE}; {BOUND}")
def obp_interval_is_too_wide(evidence: Evidence) -> Verdict:
    """Judge the price of a bootstrap that does not resample the sum of the weights."""
    return evidence.ratio("width", "obp-snips", "normal-snips", **INTERVAL).at_least(1.8)
