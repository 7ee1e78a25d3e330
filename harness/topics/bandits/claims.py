"""What is said of policies on arms whose means stand still.

Regret at the horizon of 10,000 steps on the data set bernoulli: 10 arms whose means are evenly spaced from 0.1 to 0.6.
Replications meet the same rewards under all policies, and blocks are paired.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.bandits import topic

EMPIRICAL = "Chapelle & Li 2011, An empirical evaluation of Thompson sampling"
ORDER = f"that Thompson sampling is ahead of UCB: {EMPIRICAL}, section 3, on other arms; the rest is this project's"
FACTOR = f"{ORDER}, and so is the factor"
DELAY = (
    f"{EMPIRICAL}, section 3, table 1, of 10 arms that come and go, 1,000,000 steps, and a UCB whose bound is tighter "
    "than that of UCB1"
)
TUNING = (
    "Garivier & Moulines 2011, On upper-confidence bound policies for switching bandit problems, asks for xi above 0.5"
)

CLAIMED: dict[str, Scalar] = {
    "task": "stationary",
    "dataset": "bernoulli",
    "horizon": 10_000,
    "arms": 10,
    "spread": 0.5,
}
SMALL: dict[str, Scalar] = {"task": "packages", "dataset": "bernoulli"}


@topic.claim("Thompson sampling loses less than MOSS", source=ORDER)
def thompson_beats_moss(evidence: Evidence) -> Verdict:
    """Judge the first step of the order."""
    return evidence.difference("regret", "thompson-beta", "moss", **CLAIMED).at_most(0)


@topic.claim("MOSS loses less than KL-UCB", source=ORDER)
def moss_beats_kl_ucb(evidence: Evidence) -> Verdict:
    """Judge the second step of the order."""
    return evidence.difference("regret", "moss", "kl-ucb", **CLAIMED).at_most(0)


@topic.claim("KL-UCB loses at most half of what epsilon-greedy with a share of 0.1 loses", source=FACTOR)
def kl_ucb_beats_epsilon(evidence: Evidence) -> Verdict:
    """Judge the third step of the order."""
    return evidence.ratio("regret", "kl-ucb", "epsilon-greedy", **CLAIMED).at_most(0.5)


@topic.claim("epsilon-greedy with a share of 0.1 loses less than UCB1 as published", source=ORDER)
def epsilon_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the fourth step of the order."""
    return evidence.difference("regret", "epsilon-greedy", "ucb1", **CLAIMED).at_most(0)


@topic.claim("Thompson sampling loses at most a quarter of what UCB1 as published loses", source=FACTOR)
def thompson_beats_ucb1(evidence: Evidence) -> Verdict:
    """Judge the two ends of the order."""
    return evidence.ratio("regret", "thompson-beta", "ucb1", **CLAIMED).at_most(0.25)


@topic.claim("tuning rivals the algorithm: UCB with xi 0.5 is within 10 % of the regret of KL-UCB", source=TUNING)
def tuned_ucb_is_kl_ucb(evidence: Evidence) -> Verdict:
    """Judge the worth of the divergence over that of a constant."""
    return evidence.ratio("regret", "ucb1[xi=0.5]", "kl-ucb", **CLAIMED).within(0.1)


@topic.claim("UCB with xi 0.5 loses at most half of what UCB1 as published (xi 2) loses", source=TUNING)
def xi_matters(evidence: Evidence) -> Verdict:
    """Judge the worth of a constant."""
    return evidence.ratio("regret", "ucb1[xi=0.5]", "ucb1", **CLAIMED).at_most(0.5)


@topic.claim(
    "rewards told every 100 steps hurt UCB1 more than Thompson sampling: the ratio of their regrets grows",
    source=DELAY,
    published="2.65 at once, 3.22 every 100 steps, 3.82 every 1,000",
)
def batches_hurt_ucb1_more(evidence: Evidence) -> Verdict:
    """Judge whether chance covers for what is not known yet."""
    return evidence.growth("regret", "ucb1", "thompson-beta", ("scenario", "clean", "batch(100)"), **CLAIMED).at_least(
        1
    )


@topic.claim(
    "rewards told every 100 steps add at least a tenth to the regret of UCB1",
    source=DELAY,
    published="+54 % (24,145 to 37,141)",
)
def batches_hurt_ucb1(evidence: Evidence) -> Verdict:
    """Judge the price of choosing the same arm until told."""
    return evidence.speedup("regret", "ucb1", ("scenario", "clean", "batch(100)"), **CLAIMED).at_most(1 / 1.1)


@topic.claim(
    "rewards told every 100 steps add at most a tenth to the regret of Thompson sampling",
    source=DELAY,
    published="+4 % every 32 steps, +27 % every 100 (9,105 to 11,550)",
)
def batches_leave_thompson(evidence: Evidence) -> Verdict:
    """Judge the price of batches where the choice is random."""
    return evidence.speedup("regret", "thompson-beta", ("scenario", "clean", "batch(100)"), **CLAIMED).at_least(1 / 1.1)


@topic.claim(
    "rewards told every 100 steps take back most of what tuning gained: UCB with xi 0.5 loses at least twice as much",
    source="no published figure: the bound is this project's",
)
def batches_undo_tuning(evidence: Evidence) -> Verdict:
    """Judge the price of batches where the arms to be told apart are chosen least."""
    over = ("scenario", "clean", "batch(100)")
    return evidence.speedup("regret", "ucb1[xi=0.5]", over, **CLAIMED).at_most(0.5)


@topic.claim("a delay of 1,000 steps adds at least a third to the regret of UCB1", source=EMPIRICAL)
def delay_hurts_ucb1(evidence: Evidence) -> Verdict:
    """Judge a delay of a tenth of the horizon."""
    return evidence.speedup("regret", "ucb1", ("scenario", "clean", "delay(1000)"), **CLAIMED).at_most(0.75)


@topic.claim(
    "a delay of 1,000 steps adds at most a tenth to the regret of Thompson sampling",
    source=f"{EMPIRICAL}; the bound is this project's",
)
def delay_leaves_thompson(evidence: Evidence) -> Verdict:
    """Judge a delay of a tenth of the horizon: until then nobody knows anything, which alone costs 250 here."""
    return evidence.speedup("regret", "thompson-beta", ("scenario", "clean", "delay(1000)"), **CLAIMED).at_least(
        1 / 1.1
    )


@topic.claim(
    "a delay of 100 steps hurts UCB1 more than Thompson sampling: the ratio of their regrets grows", source=EMPIRICAL
)
def delay_hurts_ucb1_more(evidence: Evidence) -> Verdict:
    """Judge whether chance covers for what is not known yet."""
    return evidence.growth("regret", "ucb1", "thompson-beta", ("scenario", "clean", "delay(100)"), **CLAIMED).at_least(
        1
    )


@topic.claim(
    "compiled Thompson sampling takes at most a twentieth of the time of obp's",
    source="no published figure: the bound is this project's",
)
def compiled_thompson_is_fast(evidence: Evidence) -> Verdict:
    """Judge the worth of compiling a policy whose limit is the draw of a Beta."""
    return evidence.ratio("play.cpu_s", "thompson-beta", "obp-bernoulli-ts", **SMALL).at_most(1 / 20)
