"""Claims about policies that see a context: in simulations with 10 arms and 10 features, and on logs of clicks.

Simulations are judged by regret at 10,000 steps. The logs have few clicks: 2,000 rounds and 10 items.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

LIN_UCB = "Li et al. 2010, A contextual-bandit approach to personalized news article recommendation (arXiv 1003.0146)"
LIFT = f"{LIN_UCB}, on news; these data and the bound are this project's"
LIN_TS = (
    "Agrawal & Goyal 2013, Thompson sampling for contextual bandits with linear payoffs, bound its regret; the "
    "comparison is this project's"
)
GLM = "Filippi et al. 2010, Parametric bandits: the generalized linear case; the comparison is this project's"
NONE = "no published figure: the claim is this project's"
EMPIRICAL = "Chapelle & Li 2011, An empirical evaluation of Thompson sampling"

SIZE: dict[str, Scalar] = {"task": "contextual", "horizon": 10_000}
LINEAR: dict[str, Scalar] = {**SIZE, "dataset": "linear-contexts", "features": 10}
LOGISTIC: dict[str, Scalar] = {**SIZE, "dataset": "logistic-contexts", "features": 10}
DIGITS: dict[str, Scalar] = {**SIZE, "dataset": "digits-contexts", "features": 10}
FLIGHTS: dict[str, Scalar] = {**SIZE, "dataset": "flights-contexts"}
PACKAGES: dict[str, Scalar] = {"task": "contextual-packages", "dataset": "linear-contexts", "horizon": 1_000}


@topic.claim(
    "with an informative context LinUCB has at most half the regret of Thompson sampling, which ignores the context",
    source=LIFT,
    published="12.5 % more clicks than without a context",
)
def lin_ucb_beats_thompson(evidence: Evidence) -> Verdict:
    """Judge what a context gains for an optimistic policy."""
    return evidence.ratio("regret", "lin-ucb", "thompson-beta", **LINEAR).at_most(0.5)


@topic.claim(
    "with an informative context LinUCB has at most half the regret of UCB1",
    source=LIFT,
    published="12.5 % more clicks than without a context",
)
def lin_ucb_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the same against an optimistic policy that ignores the context."""
    return evidence.ratio("regret", "lin-ucb", "ucb1", **LINEAR).at_most(0.5)


@topic.claim(
    "with an informative context LinTS has at most half the regret of Thompson sampling, which ignores the context",
    source=LIN_TS,
)
def lin_ts_beats_thompson(evidence: Evidence) -> Verdict:
    """Judge what a context gains for Thompson sampling."""
    return evidence.ratio("regret", "lin-ts", "thompson-beta", **LINEAR).at_most(0.5)


@topic.claim(
    "on digits LinUCB makes at most a fifth of the errors of KL-UCB, which does not see the image",
    source=LIFT,
)
def lin_ucb_reads_digits(evidence: Evidence) -> Verdict:
    """Judge what a context gains on real data."""
    return evidence.ratio("regret", "lin-ucb", "kl-ucb", **DIGITS).at_most(0.2)


@topic.claim(
    "on digits LinTS makes at most a fifth of the errors of Thompson sampling, which does not see the image",
    source=LIN_TS,
)
def lin_ts_reads_digits(evidence: Evidence) -> Verdict:
    """Judge the same for Thompson sampling."""
    return evidence.ratio("regret", "lin-ts", "thompson-beta", **DIGITS).at_most(0.2)


@topic.claim(
    "on late flights, where the context says little, the regret of LinUCB is within 5 % of that of Thompson sampling",
    source=NONE,
)
def little_context_gains_little(evidence: Evidence) -> Verdict:
    """Judge a context that is not informative."""
    return evidence.ratio("regret", "lin-ucb", "thompson-beta", **FLIGHTS).within(0.05)


@topic.claim(
    "where rewards are logistic, Thompson sampling has less regret with a logistic model than with a linear one",
    source=GLM,
)
def logistic_model_beats_linear(evidence: Evidence) -> Verdict:
    """Judge what the right link function gains."""
    return evidence.difference("regret", "logistic-ts", "lin-ts", **LOGISTIC).at_most(0)


@topic.claim(
    "when arms swap their rewards, the ratio of the regret of LinUCB to that of Thompson sampling grows",
    source=NONE,
)
def drift_hurts_models(evidence: Evidence) -> Verdict:
    """Judge the price of a model that never forgets, when rewards change."""
    return evidence.growth("regret", "lin-ucb", "thompson-beta", ("scenario", "clean", "drift"), **LINEAR).at_least(1)


@topic.claim(
    "rewards revealed every 100 steps hurt LinUCB more than LinTS: the ratio of their regrets grows",
    source=f"{EMPIRICAL}, section 3, without contexts; the policies with a context are this project's",
)
def batches_hurt_lin_ucb_more(evidence: Evidence) -> Verdict:
    """Judge whether random choices make up for rewards that are not known yet."""
    return evidence.growth("regret", "lin-ucb", "lin-ts", ("scenario", "clean", "batch(100)"), **LINEAR).at_least(1)


@topic.claim(
    "the regret of MABWiser's LinUCB equals that of ours within 1 reward, over 1,000 steps",
    source="MABWiser 2.7, LearningPolicy.LinUCB; the bound is this project's",
)
def mabwiser_agrees(evidence: Evidence) -> Verdict:
    """Judge our LinUCB against an independent implementation."""
    return evidence.tied("regret", "mabwiser-lin-ucb", "lin-ucb", 1.0, **PACKAGES)


@topic.claim(
    "a step of obp's LinUCB takes at least 50 times the CPU time of ours",
    source="Open Bandit Pipeline 0.4.1, obp.policy.LinUCB; the bound is this project's",
)
def obp_is_slower(evidence: Evidence) -> Verdict:
    """Judge what compiling gains."""
    return evidence.ratio("play.cpu_s", "obp-lin-ucb", "lin-ucb", **PACKAGES).at_least(50)


FINITE = "Auer, Cesa-Bianchi & Fischer 2002, Finite-time analysis of the multiarmed bandit problem, theorem 1"

LOGS: dict[str, Scalar] = {"task": "replay", "horizon": 2_000, "arms": 10}


@topic.claim(
    "where one view in 300 is clicked, UCB1's clicks in 2,000 rounds differ from random's by at most 5 % of the logged",
    source=f"{FINITE}: for gaps below 0.17 its bound, 8 log(n) / gap, exceeds the largest possible regret; "
    "the bound of 5 % is this project's",
)
def ucb1_is_random(evidence: Evidence) -> Verdict:
    """Judge confidence widths that allow any reward in [0, 1]."""
    return evidence.difference("lift", "ucb1", "random", **LOGS).within(0.05)


@topic.claim(
    "where one view in 300 is clicked, Thompson sampling adds at least 20 % to the logged clicks within 2,000 rounds",
    source=f"{EMPIRICAL}; the bound is this project's",
)
def thompson_earns(evidence: Evidence) -> Verdict:
    """Judge whether rare clicks are enough to learn from in so short a time."""
    return evidence.difference("lift", "thompson-beta", "random", **LOGS).at_least(0.2)


@topic.claim(
    "seeing the user adds at least 10 % of the logged clicks: LinUCB against UCB1, both with widths for rare clicks",
    source=f"{LIN_UCB}; the bound is this project's",
    published="12.5 % more than a context-free algorithm, on Yahoo! Today",
)
def users_are_worth_a_tenth(evidence: Evidence) -> Verdict:
    """Judge what the user features of this log gain."""
    return evidence.difference("lift", "lin-ucb[alpha=0.1]", "ucb1[xi=0.04]", **LOGS).at_least(0.1)
