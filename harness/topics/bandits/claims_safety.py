"""What is said of safe deployment: guarantees while learning, gates before a launch, and monitors after it.

A share of one strategy is claimed as its difference to that of a strategy which has none by construction: `never`
promotes nothing, `silent` raises no alarm, and `always-default` breaks no guarantee.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

CONSERVATIVE = "Wu et al. 2016, Conservative bandits (arXiv 1602.04282)"
OWN = "the bound is this project's"
BETTING = "Waudby-Smith & Ramdas 2023, Estimating means of bounded random variables by betting (arXiv 2010.09686)"
SEQUENCES = "Howard et al. 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences (arXiv 1810.08240)"
PEEKING = "Armitage, McPherson & Rowe 1969, Repeated significance tests on accumulating data"
POLICIES = "Thomas et al. 2015, High confidence policy improvement"
PITFALLS = "Crook et al. 2009, Seven pitfalls to avoid when running controlled experiments on the web"
CONFORMAL = "Vovk et al. 2021, Retrain or not retrain (arXiv 2102.10439)"

ARMS: dict[str, Scalar] = {"task": "conservative", "dataset": "default-second", "arms": 10}
USUAL: dict[str, Scalar] = {**ARMS, "horizon": 10_000, "share": 0.1}
LAUNCH: dict[str, Scalar] = {"task": "deployment", "level": 0.05}
EQUAL: dict[str, Scalar] = {**LAUNCH, "dataset": "launch-equal"}
WORSE: dict[str, Scalar] = {**LAUNCH, "dataset": "launch-worse"}
BETTER: dict[str, Scalar] = {**LAUNCH, "dataset": "launch-better"}
WATCH: dict[str, Scalar] = {"task": "monitoring", "level": 0.05, "shift": 0.5}
STABLE: dict[str, Scalar] = {**WATCH, "dataset": "no-shift"}


@topic.claim(
    "a conservative bandit stays above 0.9 of the default at every step: violations in at most 5 % of the runs",
    source=f"{CONSERVATIVE}, theorem 2",
    published="with probability 1 - delta, here 0.95",
)
def conservative_keeps_its_budget(evidence: Evidence) -> Verdict:
    """Judge the guarantee where the default's mean is known."""
    return evidence.difference("violations", "conservative-ucb", "always-default", **USUAL).at_most(0.05)


@topic.claim(
    "estimating the default's mean keeps the guarantee: violations in at most 5 % of the runs", source=CONSERVATIVE
)
def estimated_keeps_its_budget(evidence: Evidence) -> Verdict:
    """Judge the guarantee where the default is an arm like the others."""
    return evidence.difference("violations", "conservative-ucb-estimated", "always-default", **USUAL).at_most(0.05)


@topic.claim(
    "UCB1 falls below 0.9 of the default at some step in at least 9 of 10 runs",
    source=f"{CONSERVATIVE}, section 1; {OWN}",
)
def ucb1_breaks_the_budget(evidence: Evidence) -> Verdict:
    """Judge the need of a guard: every policy that tries all arms at first pays for it at first."""
    return evidence.difference("violations", "ucb1", "always-default", **USUAL).at_least(0.9)


@topic.claim(
    "the guarantee costs at most 3 times the regret of the same bounds without it",
    source=f"{CONSERVATIVE}, theorem 2; {OWN}",
    published="an added term that does not grow with the horizon but for a logarithm",
)
def safety_has_a_price(evidence: Evidence) -> Verdict:
    """Judge the price by the horizon of 10,000 steps."""
    return evidence.ratio("regret", "conservative-ucb", "unguarded-ucb", **USUAL).at_most(3)


@topic.claim(
    "the price of the guarantee is paid once: from 10,000 to 40,000 steps the ratio of regrets falls",
    source=f"{CONSERVATIVE}, theorem 2",
)
def the_price_is_paid_once(evidence: Evidence) -> Verdict:
    """Judge whether what the guard adds grows more slowly than the regret without it."""
    where = {**ARMS, "share": 0.1}
    over = ("horizon", 10_000, 40_000)
    return evidence.growth("regret", "conservative-ucb", "unguarded-ucb", over, **where).at_most(1)


@topic.claim(
    "a guarantee of 0.95 instead of 0.8 of the default at least doubles the regret",
    source=f"{CONSERVATIVE}, theorem 2; {OWN}",
    published="the added term is of order 1 / alpha",
)
def a_stricter_guarantee_costs_more(evidence: Evidence) -> Verdict:
    """Judge the exchange of safety for regret."""
    where = {**ARMS, "horizon": 10_000}
    return evidence.speedup("regret", "conservative-ucb", ("share", 0.05, 0.2), **where).at_least(2)


@topic.claim("a canary gated by betting promotes at most 5 % of the policies that are no better", source=BETTING)
def betting_canary_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the gate where it is hardest, with an equal policy looked at 100 times."""
    return evidence.difference("false_promotions", "canary-betting", "never", **EQUAL).at_most(0.05)


@topic.claim(
    "a canary gated by betting promotes at most 5 % of the policies that are no better while rates double",
    source=BETTING,
)
def betting_canary_holds_the_level_in_a_trend(evidence: Evidence) -> Verdict:
    """Judge the gate where stages are not comparable."""
    return evidence.difference("false_promotions", "canary-betting", "never", scenario="trend(1)", **EQUAL).at_most(
        0.05
    )


@topic.claim(
    "a canary gated by a normal mixture promotes at most 5 % of the policies that are no better", source=SEQUENCES
)
def mixture_canary_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge a gate whose guarantee is for many visitors."""
    return evidence.difference("false_promotions", "canary-mixture", "never", **EQUAL).at_most(0.05)


@topic.claim(
    "a t test at a fixed number of visitors promotes 5 % of the policies that are no better, give or take 2 %",
    source="Student 1908, The probable error of a mean",
)
def fixed_test_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the test as it is meant to be used."""
    return evidence.difference("false_promotions", "fixed-ab", "never", **EQUAL).within(0.02, of=0.05)


@topic.claim(
    "a t test looked at after every step promotes more than 15 % of the policies that are no better",
    source=PEEKING,
    published="50 looks at 5 % on either side find something in 32 %",
)
def peeking_breaks_the_level(evidence: Evidence) -> Verdict:
    """Judge the price of impatience: 50 looks, of which the worse side ends the test too."""
    return evidence.difference("false_promotions", "peeking-ab", "never", **EQUAL).at_least(0.15)


@topic.claim(
    "stages of different shares pooled while rates double promote more than 20 % of the policies that are no better",
    source=f"{PITFALLS}, on Simpson's paradox; {OWN}",
)
def pooled_stages_deceive(evidence: Evidence) -> Verdict:
    """Judge the comparison of visitors of different times."""
    return evidence.difference("false_promotions", "canary-pooled", "never", scenario="trend(1)", **EQUAL).at_least(0.2)


@topic.claim(
    "a canary that goes on until harm is found promotes more than 30 % of the policies that are no better",
    source=f"no evidence of harm is no evidence of none; {OWN}",
)
def no_harm_found_is_no_gate(evidence: Evidence) -> Verdict:
    """Judge the most usual gate, of a policy that changes nothing."""
    return evidence.difference("false_promotions", "canary-until-harm", "never", **EQUAL).at_least(0.3)


@topic.claim(
    "a gate on the lower bound from a log promotes at most 5 % of the policies that are no better", source=POLICIES
)
def log_bound_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the empirical Bernstein bound."""
    return evidence.difference("false_promotions", "log-bernstein", "never", **EQUAL).at_most(0.05)


@topic.claim(
    "betting on the same log promotes at least 20 % more of the better policies than the empirical Bernstein bound",
    source=f"{BETTING}; {OWN}",
)
def betting_misses_less(evidence: Evidence) -> Verdict:
    """Judge the width of two bounds by what it lets through."""
    return evidence.difference("missed", "log-bernstein", "log-betting", **BETTER).at_least(0.2)


@topic.claim(
    "a canary gated by betting misses at most 5 % more of the better policies than a test at a fixed number",
    source=f"{BETTING}; {OWN}",
)
def betting_canary_has_power(evidence: Evidence) -> Verdict:
    """Judge the power that looking at any time costs, where the canary has twice the visitors to look at."""
    return evidence.difference("missed", "canary-betting", "fixed-ab", **BETTER).at_most(0.05)


@topic.claim(
    "a canary loses at most 0.75 of the reward that a test in halves loses to a worse policy",
    source=f"no published figure: {OWN}",
)
def canary_protects(evidence: Evidence) -> Verdict:
    """Judge the worth of small stages and of stopping at harm."""
    return evidence.ratio("reward_lost", "canary-betting", "fixed-ab", **WORSE).at_most(0.75)


@topic.claim("bets on ranks raise a false alarm on at most 5 % of the streams", source=CONFORMAL)
def conformal_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the level on normal noise."""
    return evidence.difference("false_alarms", "conformal-rewards", "silent", **STABLE).at_most(0.05)


@topic.claim("bets on ranks raise a false alarm on at most 5 % of the streams with heavy tails", source=CONFORMAL)
def conformal_holds_the_level_in_tails(evidence: Evidence) -> Verdict:
    """Judge the level where the noise has no third moment; ranks are the same as on normal noise of the same order."""
    return evidence.difference(
        "false_alarms", "conformal-rewards", "silent", scenario="heavy_tails(3)", **STABLE
    ).at_most(0.05)


@topic.claim(
    "a CUSUM set for normal noise raises a false alarm on more than 20 % of the streams with heavy tails",
    source=f"its threshold is Siegmund's 1985, for normal numbers; {OWN}",
)
def cusum_needs_its_noise(evidence: Evidence) -> Verdict:
    """Judge a threshold where its assumption fails."""
    return evidence.difference("false_alarms", "cusum", "silent", scenario="heavy_tails(3)", **STABLE).at_least(0.2)


@topic.claim(
    "bets on ranks raise a false alarm on more than 20 % of the streams whose noise has a correlation of 0.3",
    source=f"{CONFORMAL}: the guarantee is for numbers in no particular order; {OWN}",
)
def ranks_need_no_order(evidence: Evidence) -> Verdict:
    """Judge a guarantee where its one assumption fails."""
    return evidence.difference(
        "false_alarms", "conformal-rewards", "silent", scenario="autocorrelation(0.3)", **STABLE
    ).at_least(0.2)


@topic.claim(
    "tests of windows without a correction raise a false alarm on more than half of the streams",
    source=f"{PEEKING}; {OWN}",
)
def uncorrected_windows_cry_wolf(evidence: Evidence) -> Verdict:
    """Judge 37 looks at windows that overlap."""
    return evidence.difference("false_alarms", "ks-rewards[corrected=false]", "silent", **STABLE).at_least(0.5)


@topic.claim(
    "a CUSUM finds a fall of half a standard deviation in at most three quarters of the steps that ranks need",
    source=f"Lorden 1971, Procedures for reacting to a change in distribution: CUSUM is the fastest; {OWN}",
)
def cusum_is_faster(evidence: Evidence) -> Verdict:
    """Judge what knowing the distribution is worth."""
    return evidence.ratio("delay", "cusum", "conformal-rewards", dataset="mean-shift", **WATCH).at_most(0.75)


@topic.claim(
    "of a growing variance ranks miss at least 5 % less than a CUSUM of the mean",
    source=f"no published figure: {OWN}",
)
def ranks_see_variance(evidence: Evidence) -> Verdict:
    """Judge what a monitor of the mean does not see."""
    return evidence.difference("missed", "cusum", "conformal-rewards", dataset="variance-shift", **WATCH).at_least(0.05)
