"""Claims about policies on arms with constant means.

The measure is the regret at the horizon of 10,000 steps on the data set bernoulli: 10 arms with means evenly spaced
from 0.1 to 0.6. All policies get the same rewards, and they are compared in pairs within blocks.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

EMPIRICAL = "Chapelle & Li 2011, An empirical evaluation of Thompson sampling"
ORDER = f"Thompson sampling is ahead of UCB in {EMPIRICAL}, section 3, on other arms; the rest is this project's"
FACTOR = f"{ORDER}, and so is the factor"
DELAY = (
    f"{EMPIRICAL}, section 3, table 1: 10 arms that appear and disappear, 1,000,000 steps, and a UCB with a tighter "
    "bound than that of UCB1"
)
OURS = "the bound is this project's"
LATE = f"{DELAY}; a constant delay instead of batches, and the bound, are this project's"
TUNING = (
    "Garivier & Moulines 2011, On upper-confidence bound policies for switching bandit problems, requires xi above 0.5"
    f"; {OURS}"
)

CLAIMED: dict[str, Scalar] = {
    "task": "stationary",
    "dataset": "bernoulli",
    "horizon": 10_000,
    "arms": 10,
    "spread": 0.5,
}
SMALL: dict[str, Scalar] = {"task": "packages", "dataset": "bernoulli"}


@topic.claim("Thompson sampling has less regret than MOSS", source=ORDER)
def thompson_beats_moss(evidence: Evidence) -> Verdict:
    """Judge the first step of the order."""
    return evidence.difference("regret", "thompson-beta", "moss", **CLAIMED).at_most(0)


@topic.claim("MOSS has less regret than KL-UCB", source=ORDER)
def moss_beats_kl_ucb(evidence: Evidence) -> Verdict:
    """Judge the second step of the order."""
    return evidence.difference("regret", "moss", "kl-ucb", **CLAIMED).at_most(0)


@topic.claim("KL-UCB has at most half the regret of epsilon-greedy with epsilon 0.1", source=FACTOR)
def kl_ucb_beats_epsilon(evidence: Evidence) -> Verdict:
    """Judge the third step of the order."""
    return evidence.ratio("regret", "kl-ucb", "epsilon-greedy", **CLAIMED).at_most(0.5)


@topic.claim("epsilon-greedy with epsilon 0.1 has less regret than UCB1 as published", source=ORDER)
def epsilon_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the fourth step of the order."""
    return evidence.difference("regret", "epsilon-greedy", "ucb1", **CLAIMED).at_most(0)


@topic.claim("Thompson sampling has at most a quarter of the regret of UCB1 as published", source=FACTOR)
def thompson_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the two ends of the order."""
    return evidence.ratio("regret", "thompson-beta", "ucb1", **CLAIMED).at_most(0.25)


@topic.claim(
    "tuning gains as much as a better algorithm: the regret of UCB1 with xi 0.5 is within 10 % of that of KL-UCB",
    source=TUNING,
)
def tuned_ucb_is_kl_ucb(evidence: Evidence) -> Verdict:
    """Judge what the divergence gains over a tuned constant."""
    return evidence.ratio("regret", "ucb1[xi=0.5]", "kl-ucb", **CLAIMED).within(0.1)


@topic.claim("UCB1 with xi 0.5 has at most half the regret of UCB1 as published (xi 2)", source=TUNING)
def xi_matters(evidence: Evidence) -> Verdict:
    """Judge what tuning a constant gains."""
    return evidence.ratio("regret", "ucb1[xi=0.5]", "ucb1", **CLAIMED).at_most(0.5)


@topic.claim(
    "rewards revealed every 100 steps hurt UCB1 more than Thompson sampling: the ratio of their regrets grows",
    source=DELAY,
    published="ratio 2.65 without delay, 3.22 every 100 steps, 3.82 every 1,000 steps",
)
def batches_hurt_ucb1_more(evidence: Evidence) -> Verdict:
    """Judge whether random choices make up for rewards that are not known yet."""
    return evidence.growth("regret", "ucb1", "thompson-beta", ("scenario", "clean", "batch(100)"), **CLAIMED).at_least(
        1
    )


@topic.claim(
    "rewards revealed every 100 steps add at least a tenth to the regret of UCB1",
    source=f"{DELAY}; {OURS}",
    published="+54 % (24,145 to 37,141)",
)
def batches_hurt_ucb1(evidence: Evidence) -> Verdict:
    """Judge the price of choosing the same arm until new rewards are revealed."""
    return evidence.speedup("regret", "ucb1", ("scenario", "clean", "batch(100)"), **CLAIMED).at_most(1 / 1.1)


@topic.claim(
    "rewards revealed every 100 steps add at most a tenth to the regret of Thompson sampling",
    source=f"{DELAY}; {OURS}",
    published="+4 % every 32 steps, +27 % every 100 (9,105 to 11,550)",
)
def batches_leave_thompson(evidence: Evidence) -> Verdict:
    """Judge the price of batches where the choice is random."""
    return evidence.speedup("regret", "thompson-beta", ("scenario", "clean", "batch(100)"), **CLAIMED).at_least(1 / 1.1)


@topic.claim(
    "rewards revealed every 100 steps undo most of the gain of tuning: the regret of UCB1 with xi 0.5 at least doubles",
    source="no published figure: the bound is this project's",
)
def batches_undo_tuning(evidence: Evidence) -> Verdict:
    """Judge the price of batches for a policy that rarely chooses the arms that it must distinguish."""
    over = ("scenario", "clean", "batch(100)")
    return evidence.speedup("regret", "ucb1[xi=0.5]", over, **CLAIMED).at_most(0.5)


@topic.claim("a delay of 1,000 steps adds at least a third to the regret of UCB1", source=LATE)
def delay_hurts_ucb1(evidence: Evidence) -> Verdict:
    """Judge a delay of a tenth of the horizon."""
    return evidence.speedup("regret", "ucb1", ("scenario", "clean", "delay(1000)"), **CLAIMED).at_most(0.75)


@topic.claim(
    "a delay of 1,000 steps adds at most a tenth to the regret of Thompson sampling",
    source=LATE,
)
def delay_leaves_thompson(evidence: Evidence) -> Verdict:
    """Judge a delay of a tenth of the horizon: until then no policy knows any reward, which alone costs 250 here."""
    return evidence.speedup("regret", "thompson-beta", ("scenario", "clean", "delay(1000)"), **CLAIMED).at_least(
        1 / 1.1
    )


@topic.claim(
    "a delay of 100 steps hurts UCB1 more than Thompson sampling: the ratio of their regrets grows", source=LATE
)
def delay_hurts_ucb1_more(evidence: Evidence) -> Verdict:
    """Judge whether random choices make up for rewards that are not known yet."""
    return evidence.growth("regret", "ucb1", "thompson-beta", ("scenario", "clean", "delay(100)"), **CLAIMED).at_least(
        1
    )


@topic.claim(
    "compiled Thompson sampling takes at most a twentieth of the CPU time of obp's",
    source="no published figure: the bound is this project's",
)
def compiled_thompson_is_fast(evidence: Evidence) -> Verdict:
    """Judge what compiling gains for a policy whose time is spent on draws from a beta distribution."""
    return evidence.ratio("play.cpu_s", "thompson-beta", "obp-bernoulli-ts", **SMALL).at_most(1 / 20)
