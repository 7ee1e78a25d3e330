"""What is said of policies that see a context: regret at 10,000 steps, 10 arms and 10 features."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

LIN_UCB = "Li et al. 2010, A contextual-bandit approach to personalized news article recommendation"
LIN_TS = "Agrawal & Goyal 2013, Thompson sampling for contextual bandits with linear payoffs"
GLM = "Filippi et al. 2010, Parametric bandits: the generalized linear case"
EMPIRICAL = "Chapelle & Li 2011, An empirical evaluation of Thompson sampling"

SIZE: dict[str, Scalar] = {"task": "contextual", "horizon": 10_000}
LINEAR: dict[str, Scalar] = {**SIZE, "dataset": "linear-contexts", "features": 10}
LOGISTIC: dict[str, Scalar] = {**SIZE, "dataset": "logistic-contexts", "features": 10}
DIGITS: dict[str, Scalar] = {**SIZE, "dataset": "digits-contexts", "features": 10}
FLIGHTS: dict[str, Scalar] = {**SIZE, "dataset": "flights-contexts"}
PACKAGES: dict[str, Scalar] = {"task": "contextual-packages", "dataset": "linear-contexts", "horizon": 1_000}


@topic.claim(
    "with an informative context LinUCB loses at most half of what Thompson sampling without one loses",
    source=LIN_UCB,
)
def lin_ucb_beats_thompson(evidence: Evidence) -> Verdict:
    """Judge the worth of a context to optimism."""
    return evidence.ratio("regret", "lin-ucb", "thompson-beta", **LINEAR).at_most(0.5)


@topic.claim(
    "with an informative context LinUCB loses at most half of what UCB1 loses",
    source=LIN_UCB,
)
def lin_ucb_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the same against optimism without a context."""
    return evidence.ratio("regret", "lin-ucb", "ucb1", **LINEAR).at_most(0.5)


@topic.claim(
    "with an informative context LinTS loses at most half of what Thompson sampling without one loses",
    source=LIN_TS,
)
def lin_ts_beats_thompson(evidence: Evidence) -> Verdict:
    """Judge the worth of a context to sampling."""
    return evidence.ratio("regret", "lin-ts", "thompson-beta", **LINEAR).at_most(0.5)


@topic.claim(
    "naming digits, LinUCB errs at most a fifth as often as KL-UCB, which does not see the image",
    source=LIN_UCB,
)
def lin_ucb_reads_digits(evidence: Evidence) -> Verdict:
    """Judge the worth of a context in data that no model made."""
    return evidence.ratio("regret", "lin-ucb", "kl-ucb", **DIGITS).at_most(0.2)


@topic.claim(
    "naming digits, LinTS errs at most a fifth as often as Thompson sampling, which does not see the image",
    source=LIN_TS,
)
def lin_ts_reads_digits(evidence: Evidence) -> Verdict:
    """Judge the same of sampling."""
    return evidence.ratio("regret", "lin-ts", "thompson-beta", **DIGITS).at_most(0.2)


@topic.claim(
    "where the context says little, of late flights, LinUCB gains nothing: within 5 % of Thompson sampling without it",
    source=LIN_UCB,
)
def little_context_gains_little(evidence: Evidence) -> Verdict:
    """Judge a context that is not informative."""
    return evidence.ratio("regret", "lin-ucb", "thompson-beta", **FLIGHTS).within(0.05)


@topic.claim(
    "where rewards are logistic, a logistic model loses less than a linear one, both by Thompson sampling",
    source=GLM,
)
def logistic_model_beats_linear(evidence: Evidence) -> Verdict:
    """Judge the worth of the right link."""
    return evidence.difference("regret", "logistic-ts", "lin-ts", **LOGISTIC).at_most(0)


@topic.claim(
    "drift hurts models: when arms change places, the ratio of LinUCB to Thompson sampling without a context grows",
    source=LIN_UCB,
)
def drift_hurts_models(evidence: Evidence) -> Verdict:
    """Judge what a model of all times costs when times change."""
    return evidence.growth("regret", "lin-ucb", "thompson-beta", ("scenario", "clean", "drift"), **LINEAR).at_least(1)


@topic.claim(
    "rewards told every 100 steps hurt LinUCB more than LinTS: the ratio of their regrets grows",
    source=EMPIRICAL,
)
def batches_hurt_lin_ucb_more(evidence: Evidence) -> Verdict:
    """Judge whether chance covers for what is not known yet."""
    return evidence.growth("regret", "lin-ucb", "lin-ts", ("scenario", "clean", "batch(100)"), **LINEAR).at_least(1)


@topic.claim(
    "LinUCB of MABWiser loses what ours loses: within 1 reward of 1,000 steps",
    source="MABWiser 2.7, LearningPolicy.LinUCB",
)
def mabwiser_agrees(evidence: Evidence) -> Verdict:
    """Judge our LinUCB by another one."""
    return evidence.tied("regret", "mabwiser-lin-ucb", "lin-ucb", 1.0, **PACKAGES)


@topic.claim(
    "a step of LinUCB costs obp at least 50 times the CPU time of ours",
    source="Open Bandit Pipeline 0.4.1, obp.policy.LinUCB",
)
def obp_is_slower(evidence: Evidence) -> Verdict:
    """Judge the worth of compiling."""
    return evidence.ratio("play.cpu_s", "obp-lin-ucb", "lin-ucb", **PACKAGES).at_least(50)
