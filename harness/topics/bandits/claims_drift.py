"""Claims about policies on arms whose means change over time.

The measure is the dynamic regret at 10,000 steps and 10 arms. At each change the data set abrupt draws new means,
uniform in (0, 1). There are 4 changes by default; "a rare change" means 1. "Tuned" means the defaults of the
strategies, which were tuned on abrupt with 4 changes; "theory's constants" are computed as in the articles, from the
horizon and the number of changes.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

SWITCHING = "Garivier & Moulines 2011, On upper-confidence bound policies for switching bandit problems (0805.3415)"
SLIDING_TS = "Trovo et al. 2020, Sliding-window Thompson sampling for non-stationary settings"
GLR = "Besson et al. 2022, Efficient change-point detection for piecewise-stationary bandits (1902.01575)"
CUSUM = "Liu, Lee & Shroff 2018, A change-detection based framework for piecewise-stationary bandits (1711.03539)"
M_UCB = "Cao et al. 2019, Nearly optimal adaptive procedure with change detection (1802.03692)"

ABRUPT: dict[str, Scalar] = {"task": "drifting", "dataset": "abrupt", "horizon": 10_000, "changes": 4}
RARE: dict[str, Scalar] = {**ABRUPT, "changes": 1}
SMOOTH: dict[str, Scalar] = {"task": "drifting", "dataset": "sinusoidal", "horizon": 10_000}
ANY: dict[str, Scalar] = {"task": "drifting", "dataset": "abrupt", "horizon": 10_000}


@topic.claim(
    "under abrupt drift Thompson sampling over a window has at most half the regret of plain Thompson sampling",
    source=f"{SLIDING_TS}; the bound is this project's",
)
def window_helps_thompson(evidence: Evidence) -> Verdict:
    """Judge forgetting in Thompson sampling."""
    return evidence.ratio("regret", "sliding-thompson", "thompson-beta", **ABRUPT).at_most(0.5)


@topic.claim(
    "under abrupt drift tuned UCB over a window has less regret than UCB1 as published (xi 2)", source=SWITCHING
)
def window_helps_ucb(evidence: Evidence) -> Verdict:
    """Judge forgetting in UCB."""
    return evidence.difference("regret", "sliding-ucb", "ucb1", **ABRUPT).at_most(0)


@topic.claim("under abrupt drift tuned UCB over a window has less regret than UCB1 with xi 0.5", source=SWITCHING)
def window_helps_tuned_ucb(evidence: Evidence) -> Verdict:
    """Judge forgetting where both are tuned."""
    return evidence.difference("regret", "sliding-ucb", "ucb1[xi=0.5]", **ABRUPT).at_most(0)


@topic.claim(
    "with theory's constants UCB over a window has less regret than UCB1 as published under abrupt drift",
    source=f"{SWITCHING}, simulations, on other arms",
)
def window_helps_by_theory(evidence: Evidence) -> Verdict:
    """Judge the window that needs no tuning."""
    return evidence.difference("regret", "sliding-ucb[theory=true]", "ucb1", **ABRUPT).at_most(0)


@topic.claim(
    "with theory's constants discounted UCB has less regret than UCB1 as published under abrupt drift",
    source=f"{SWITCHING}, simulations, on other arms",
)
def discount_helps_by_theory(evidence: Evidence) -> Verdict:
    """Judge the discount that needs no tuning."""
    return evidence.difference("regret", "discounted-ucb[theory=true]", "ucb1", **ABRUPT).at_most(0)


@topic.claim("tuned discounted UCB has less regret than UCB1 with xi 0.5 under abrupt drift", source=SWITCHING)
def discount_helps_tuned(evidence: Evidence) -> Verdict:
    """Judge the discount where both are tuned."""
    return evidence.difference("regret", "discounted-ucb", "ucb1[xi=0.5]", **ABRUPT).at_most(0)


@topic.claim(
    "under smooth drift Thompson sampling over a window has at most half the regret of plain Thompson sampling",
    source=f"{SLIDING_TS}; the bound is this project's",
)
def window_helps_thompson_smoothly(evidence: Evidence) -> Verdict:
    """Judge forgetting where means change smoothly."""
    return evidence.ratio("regret", "sliding-thompson", "thompson-beta", **SMOOTH).at_most(0.5)


@topic.claim("under smooth drift tuned UCB over a window has less regret than tuned discounted UCB", source=SWITCHING)
def window_beats_discount_smoothly(evidence: Evidence) -> Verdict:
    """Judge a sharp against a soft window, in UCB."""
    return evidence.difference("regret", "sliding-ucb", "discounted-ucb", **SMOOTH).at_most(0)


@topic.claim(
    "under smooth drift tuned Thompson sampling over a window has less regret than the tuned discounted one",
    source=SLIDING_TS,
)
def window_beats_discount_in_thompson(evidence: Evidence) -> Verdict:
    """Judge a sharp against a soft window, in Thompson sampling."""
    return evidence.difference("regret", "sliding-thompson", "discounted-thompson", **SMOOTH).at_most(0)


@topic.claim("at a rare change GLR-klUCB has less regret than tuned UCB over a window", source=GLR)
def glr_beats_window(evidence: Evidence) -> Verdict:
    """Judge a likelihood ratio test against unconditional forgetting."""
    return evidence.difference("regret", "glr-kl-ucb", "sliding-ucb", **RARE).at_most(0)


@topic.claim("at a rare change M-UCB has less regret than tuned UCB over a window", source=M_UCB)
def m_ucb_beats_window(evidence: Evidence) -> Verdict:
    """Judge a comparison of two halves against unconditional forgetting."""
    return evidence.difference("regret", "m-ucb", "sliding-ucb", **RARE).at_most(0)


@topic.claim(
    "at a rare change CUSUM-UCB as published, with local restarts, has less regret than tuned UCB over a window",
    source=CUSUM,
)
def cusum_beats_window(evidence: Evidence) -> Verdict:
    """Judge a cumulative sum against unconditional forgetting."""
    return evidence.difference("regret", "cusum-ucb", "sliding-ucb", **RARE).at_most(0)


@topic.claim(
    "where all arms change, CUSUM-UCB that restarts all arms has at most two thirds of the regret of the local one",
    source=f"{GLR}, on local and global restarts; the bound is this project's",
)
def global_restarts_help(evidence: Evidence) -> Verdict:
    """Judge what an alarm on one arm says about the others."""
    return evidence.ratio("regret", "cusum-ucb[everything=true]", "cusum-ucb", **ABRUPT).at_most(2 / 3)


@topic.claim("with theory's constants GLR-klUCB has less regret than UCB over a window under abrupt drift", source=GLR)
def glr_beats_window_by_theory(evidence: Evidence) -> Verdict:
    """Judge the two where neither is tuned."""
    return evidence.difference("regret", "glr-kl-ucb[theory=true]", "sliding-ucb[theory=true]", **ABRUPT).at_most(0)


@topic.claim(
    "the gain of GLR-klUCB over a window shrinks with more changes: the ratio of regrets grows from 1 change to 19",
    source=GLR,
)
def detection_needs_time(evidence: Evidence) -> Verdict:
    """Judge how much a detector depends on rare changes."""
    return evidence.growth("regret", "glr-kl-ucb", "sliding-ucb", ("changes", 1, 19), **ANY).at_least(1)


@topic.claim(
    "after a change half of the replications are on the new best arm sooner with GLR-klUCB than with a tuned window",
    source=GLR,
)
def glr_adapts_sooner(evidence: Evidence) -> Verdict:
    """Judge the delay of adaptation."""
    return evidence.difference("adaptation_delay", "glr-kl-ucb", "sliding-ucb", **ABRUPT).at_most(0)
