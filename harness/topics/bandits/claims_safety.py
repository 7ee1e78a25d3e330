"""Claims about safe deployment: guarantees while learning, gates before a launch, and monitors after it."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

CONSERVATIVE = "Wu et al. 2016, Conservative bandits (arXiv 1602.04282)"
BOUND = "the bound is this project's"
BETTING = "Waudby-Smith & Ramdas 2023, Estimating means of bounded random variables by betting (arXiv 2010.09686)"
SEQUENCES = "Howard et al. 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences (arXiv 1810.08240)"
PEEKING = "Armitage, McPherson & Rowe 1969, Repeated significance tests on accumulating data"
POLICIES = "Thomas et al. 2015, High confidence policy improvement"
PITFALLS = "Crook et al. 2009, Seven pitfalls to avoid when running controlled experiments on the web"
DETECTORS = "Shin, Ramdas & Rinaldo 2022, E-detectors (arXiv 2203.03532)"
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
    "a conservative bandit earns at least 0.9 of the default at every step: at most 5 % of the replications violate it",
    source=f"{CONSERVATIVE}, theorem 2",
    published="with probability 1 - delta, here 0.95",
)
def conservative_keeps_its_budget(evidence: Evidence) -> Verdict:
    """Judge the guarantee where the mean of the default is known."""
    return evidence.mean("violations", "conservative-ucb", **USUAL).at_most(0.05)


@topic.claim(
    "the guarantee remains when the mean of the default is estimated: at most 5 % of the replications violate it",
    source=CONSERVATIVE,
)
def estimated_keeps_its_budget(evidence: Evidence) -> Verdict:
    """Judge the guarantee where the default is an arm like the others."""
    return evidence.mean("violations", "conservative-ucb-estimated", **USUAL).at_most(0.05)


@topic.claim(
    "UCB1 falls below 0.9 of the default at some step in at least 9 of 10 replications",
    source=f"{CONSERVATIVE}, section 1; {BOUND}",
)
def ucb1_breaks_the_budget(evidence: Evidence) -> Verdict:
    """Judge whether a guarantee is needed: a policy that first tries all arms earns less at first."""
    return evidence.mean("violations", "ucb1", **USUAL).at_least(0.9)


@topic.claim(
    "the guarantee costs at most 3 times the regret of the same bounds without it",
    source=f"{CONSERVATIVE}, theorem 2; {BOUND}",
    published="an added term that grows with the horizon only by a logarithm",
)
def safety_has_a_price(evidence: Evidence) -> Verdict:
    """Judge the price at the horizon of 10,000 steps."""
    return evidence.ratio("regret", "conservative-ucb", "unguarded-ucb", **USUAL).at_most(3)


@topic.claim(
    "the price of the guarantee is paid once: from 10,000 to 40,000 steps the ratio of regrets falls",
    source=f"{CONSERVATIVE}, theorem 2",
)
def the_price_is_paid_once(evidence: Evidence) -> Verdict:
    """Judge whether the added regret grows more slowly than the regret without the guarantee."""
    where = {**ARMS, "share": 0.1}
    over = ("horizon", 10_000, 40_000)
    return evidence.growth("regret", "conservative-ucb", "unguarded-ucb", over, **where).at_most(1)


@topic.claim(
    "a guarantee of 0.95 instead of 0.8 of the default at least doubles the regret",
    source=f"{CONSERVATIVE}, theorem 2; {BOUND}",
    published="the added term is of order 1 / alpha",
)
def a_stricter_guarantee_costs_more(evidence: Evidence) -> Verdict:
    """Judge the trade-off between safety and regret."""
    where = {**ARMS, "horizon": 10_000}
    return evidence.speedup("regret", "conservative-ucb", ("share", 0.05, 0.2), **where).at_least(2)


@topic.claim("a canary gated by betting promotes at most 5 % of the policies that are not better", source=BETTING)
def betting_canary_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the gate in the hardest case: an equal policy and 100 looks."""
    return evidence.mean("false_promotions", "canary-betting", **EQUAL).at_most(0.05)


@topic.claim(
    "while rates double, a canary gated by betting promotes at most 5 % of the policies that are not better",
    source=BETTING,
)
def betting_canary_holds_the_level_in_a_trend(evidence: Evidence) -> Verdict:
    """Judge the gate where stages have different rates."""
    return evidence.mean("false_promotions", "canary-betting", scenario="trend(1)", **EQUAL).at_most(0.05)


@topic.claim(
    "a canary gated by a normal mixture promotes at most 5 % of the policies that are not better", source=SEQUENCES
)
def mixture_canary_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge a gate whose guarantee is asymptotic."""
    return evidence.mean("false_promotions", "canary-mixture", **EQUAL).at_most(0.05)


@topic.claim(
    "a t test at a fixed number of visitors promotes 3 to 7 % of the policies that are not better, nominally 5 %",
    source=f"Student 1908, The probable error of a mean; {BOUND}",
)
def fixed_test_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the test as it is meant to be used."""
    return evidence.mean("false_promotions", "fixed-ab", **EQUAL).within(0.02, of=0.05)


@topic.claim(
    "a t test repeated after every step promotes more than 15 % of the policies that are not better",
    source=f"{PEEKING}; {BOUND}",
    published="50 two-sided looks at 5 % reject a true hypothesis in 32 % of the cases",
)
def peeking_breaks_the_level(evidence: Evidence) -> Verdict:
    """Judge the price of repeated tests: 50 looks, each of which may end the test on either side."""
    return evidence.mean("false_promotions", "peeking-ab", **EQUAL).at_least(0.15)


@topic.claim(
    "while rates double, a test over pooled stages promotes more than 20 % of the policies that are not better",
    source=f"{PITFALLS}, on Simpson's paradox; {BOUND}",
)
def pooled_stages_deceive(evidence: Evidence) -> Verdict:
    """Judge a comparison of visitors from different times."""
    return evidence.mean("false_promotions", "canary-pooled", scenario="trend(1)", **EQUAL).at_least(0.2)


@topic.claim(
    "a canary that stops only at proven harm promotes more than 30 % of the policies that are not better",
    source=f"absence of evidence for harm does not prove that there is none; {BOUND}",
)
def absence_of_harm_is_a_weak_gate(evidence: Evidence) -> Verdict:
    """Judge the most common gate, on a policy that changes nothing."""
    return evidence.mean("false_promotions", "canary-until-harm", **EQUAL).at_least(0.3)


@topic.claim(
    "a gate on the lower bound from a log promotes at most 5 % of the policies that are not better", source=POLICIES
)
def log_bound_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the empirical Bernstein bound."""
    return evidence.mean("false_promotions", "log-bernstein", **EQUAL).at_most(0.05)


@topic.claim(
    "on the same log betting promotes at least 20 % more of the better policies than the empirical Bernstein bound",
    source=f"{BETTING}; {BOUND}",
)
def betting_misses_less(evidence: Evidence) -> Verdict:
    """Judge the widths of two bounds by the share of better policies that they miss."""
    return evidence.difference("missed", "log-bernstein", "log-betting", **BETTER).at_least(0.2)


@topic.claim(
    "a canary gated by betting misses at most 5 % more of the better policies than a t test at a fixed sample size",
    source=f"{BETTING}; {BOUND}",
)
def betting_canary_has_power(evidence: Evidence) -> Verdict:
    """Judge the loss of power from looks at any time; the canary has twice the visitors to look at."""
    return evidence.difference("missed", "canary-betting", "fixed-ab", **BETTER).at_most(0.05)


@topic.claim(
    "with a worse policy a canary loses at most 0.75 times the reward that a test with equal shares loses",
    source=f"no published figure: {BOUND}",
)
def canary_protects(evidence: Evidence) -> Verdict:
    """Judge what small stages and stopping at harm gain."""
    return evidence.ratio("reward_lost", "canary-betting", "fixed-ab", **WORSE).at_most(0.75)


@topic.claim("bets on ranks raise a false alarm on at most 5 % of the streams", source=CONFORMAL)
def conformal_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the level on normal noise; heavy tails leave all ranks, and so every alarm, as they are."""
    return evidence.mean("false_alarms", "conformal-rewards", **STABLE).at_most(0.05)


def _alarms(evidence: Evidence, monitor: str) -> Verdict:
    """Judge the level where nothing changes: 0.06 allows for chance where a monitor spends the whole level, 0.05."""
    return evidence.mean("false_alarms", monitor, **STABLE).at_most(0.06)


@topic.claim("bets on ranks of contexts raise a false alarm on at most 5 % of the streams", source=CONFORMAL)
def conformal_holds_the_level_on_contexts(evidence: Evidence) -> Verdict:
    """Judge the same bets on the other stream."""
    return evidence.mean("false_alarms", "conformal-contexts", **STABLE).at_most(0.05)


@topic.claim("an e-detector raises a false alarm on at most 5 % of the streams", source=DETECTORS)
def e_detector_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge the bound on normal noise of which mean and variance are estimated."""
    return evidence.mean("false_alarms", "e-detector", **STABLE).at_most(0.05)


@topic.claim(
    "a self-starting CUSUM set to 5 % raises a false alarm on at most 6 % of the streams",
    source=f"Hawkins 1987, Self-starting CUSUM charts for location and scale; Siegmund 1985; {BOUND}",
)
def cusum_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge Siegmund's threshold."""
    return _alarms(evidence, "cusum")


@topic.claim(
    "Page-Hinkley with a threshold from simulations at 5 % raises a false alarm on at most 6 % of the streams",
    source=f"Davison & Hinkley 1997, Bootstrap methods and their application; {BOUND}",
)
def page_hinkley_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge a threshold that is resampled from the reference."""
    return _alarms(evidence, "page-hinkley")


@topic.claim(
    "ADWIN with a bound from simulations at 5 % raises a false alarm on at most 6 % of the streams",
    source=f"Davison & Hinkley 1997, Bootstrap methods and their application; {BOUND}",
)
def adwin_holds_the_level(evidence: Evidence) -> Verdict:
    """Judge a bound that is resampled from the reference."""
    return _alarms(evidence, "adwin")


@topic.claim(
    "Kolmogorov-Smirnov tests of windows of rewards, corrected by Bonferroni, raise a false alarm on at most 5 % of "
    "the streams",
    source="Bonferroni's inequality",
)
def windows_of_rewards_hold_the_level(evidence: Evidence) -> Verdict:
    """Judge the correction for 37 looks."""
    return evidence.mean("false_alarms", "ks-rewards", **STABLE).at_most(0.05)


@topic.claim(
    "Kolmogorov-Smirnov tests of windows of contexts, corrected by Bonferroni, raise a false alarm on at most 5 % of "
    "the streams",
    source="Bonferroni's inequality",
)
def windows_of_contexts_hold_the_level(evidence: Evidence) -> Verdict:
    """Judge the correction for 37 looks."""
    return evidence.mean("false_alarms", "ks-contexts", **STABLE).at_most(0.05)


@topic.claim(
    "limits of three standard errors for 40 batches raise a false alarm on 8 to 12 % of the streams",
    source="Shewhart 1931: each batch exceeds them with probability 0.27 %, so 40 do with 10.3 %; "
    "the range is this project's",
)
def three_sigma_has_no_level(evidence: Evidence) -> Verdict:
    """Judge limits that do not know how often they are looked at."""
    return evidence.mean("false_alarms", "three-sigma", **STABLE).within(0.02, of=0.10)


@topic.claim(
    "with heavy tails a CUSUM set for normal noise raises a false alarm on more than 20 % of the streams",
    source=f"its threshold is Siegmund's 1985, for normal numbers; {BOUND}",
)
def cusum_needs_its_noise(evidence: Evidence) -> Verdict:
    """Judge a threshold where its assumption is violated."""
    return evidence.mean("false_alarms", "cusum", scenario="heavy_tails(3)", **STABLE).at_least(0.2)


@topic.claim(
    "with an autocorrelation of 0.3 bets on ranks raise a false alarm on more than 20 % of the streams",
    source=f"{CONFORMAL}: the guarantee is for exchangeable numbers; {BOUND}",
)
def ranks_need_exchangeable_noise(evidence: Evidence) -> Verdict:
    """Judge a guarantee where its only assumption is violated."""
    return evidence.mean("false_alarms", "conformal-rewards", scenario="autocorrelation(0.3)", **STABLE).at_least(0.2)


@topic.claim(
    "tests of windows without a correction for repetition raise a false alarm on more than half of the streams",
    source=f"{PEEKING}; {BOUND}",
)
def uncorrected_windows_raise_false_alarms(evidence: Evidence) -> Verdict:
    """Judge 37 tests on overlapping windows."""
    return evidence.mean("false_alarms", "ks-rewards[corrected=false]", **STABLE).at_least(0.5)


@topic.claim(
    "a CUSUM detects a fall by half a standard deviation in at most three quarters of the steps that ranks need",
    source=f"Lorden 1971, Procedures for reacting to a change in distribution: CUSUM is the fastest; {BOUND}",
)
def cusum_is_faster(evidence: Evidence) -> Verdict:
    """Judge what knowledge of the distribution gains."""
    return evidence.ratio("delay", "cusum", "conformal-rewards", dataset="mean-shift", **WATCH).at_most(0.75)


@topic.claim(
    "ranks miss a growing variance on at least 5 % fewer of the streams than a CUSUM of the mean",
    source=f"no published figure: {BOUND}",
)
def ranks_see_variance(evidence: Evidence) -> Verdict:
    """Judge what a monitor of the mean does not detect."""
    return evidence.difference("missed", "cusum", "conformal-rewards", dataset="variance-shift", **WATCH).at_least(0.05)
