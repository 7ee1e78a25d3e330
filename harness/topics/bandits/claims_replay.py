"""Claims about policies that learn from clicks, judged on logs with few clicks: 2,000 rounds, 10 items."""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

FINITE = "Auer, Cesa-Bianchi & Fischer 2002, Finite-time analysis of the multiarmed bandit problem, theorem 1"
EMPIRICAL = "Chapelle & Li 2011, An empirical evaluation of Thompson sampling"
LIN_UCB = "Li et al. 2010, A contextual-bandit approach to personalized news article recommendation"

SIZE: dict[str, Scalar] = {"task": "replay", "horizon": 2_000, "arms": 10}


@topic.claim(
    "where one view in 300 is clicked, UCB1's clicks in 2,000 rounds differ from random's by at most 5 % of the logged",
    source=f"{FINITE}: for gaps below 0.17 its bound, 8 log(n) / gap, exceeds the largest possible regret",
)
def ucb1_is_random(evidence: Evidence) -> Verdict:
    """Judge confidence widths that allow any reward in [0, 1]."""
    return evidence.difference("lift", "ucb1", "random", **SIZE).within(0.05)


@topic.claim(
    "where one view in 300 is clicked, Thompson sampling adds at least 20 % to the logged clicks within 2,000 rounds",
    source=f"{EMPIRICAL}; the bound is this project's",
)
def thompson_earns(evidence: Evidence) -> Verdict:
    """Judge whether rare clicks are enough to learn from in so short a time."""
    return evidence.difference("lift", "thompson-beta", "random", **SIZE).at_least(0.2)


@topic.claim(
    "seeing the user adds at least 10 % of the logged clicks: LinUCB against UCB1, both with widths for rare clicks",
    source=LIN_UCB,
    published="12.5 % more than a context-free algorithm, on Yahoo! Today",
)
def users_are_worth_a_tenth(evidence: Evidence) -> Verdict:
    """Judge what the user features of this log gain."""
    return evidence.difference("lift", "lin-ucb[alpha=0.1]", "ucb1[xi=0.04]", **SIZE).at_least(0.1)
