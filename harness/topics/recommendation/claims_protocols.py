"""Claims about protocols: what a split or a sample of items does to figures and to the order of strategies.

They are judged on generated data with 4 % density, where preferences and popularity drift: by default half of them is
replaced from the first to the last interaction.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.recommendation import topic

LEAK = "Ji et al. 2023, A critical study on data leakage in recommender system offline evaluation, arXiv 2010.11060"
POPULAR = "Ji et al. 2020, A re-visit of the popularity baseline in recommender systems, arXiv 2005.13829"
SPLIT = "Gusak et al. 2025, Time to split, arXiv 2507.16289"
SAMPLED = "Krichene & Rendle 2020, On sampled metrics for item recommendation, KDD"
CAUSAL = "Bonner & Vasile 2018, Causal embeddings for recommendation, arXiv 1706.07639"
OWN = "the bound is the project's own"

DATA: dict[str, Scalar] = {"dataset": "synthetic-implicit", "density": 0.04}
#: Everything drifts, and a user stays for a fifth of the time, so that last items are spread over the whole time.
GUESTS: dict[str, Scalar] = {**DATA, "drift": 1.0, "stay": 0.2}
BLOCKS = 6


def _all(*verdicts: Verdict) -> Verdict:
    """Judge that several statements hold: refuted if one is, supported if all are."""
    order: tuple[Verdict, ...] = ("refuted", "not measured", "inconclusive", "supported")
    return min(verdicts, key=order.index)


@topic.claim(
    "popularity of all the past ranks better than that of the recent past after a random split",
    source=f"{LEAK}, which says that orders depend on the split",
    blocks=BLOCKS,
)
def all_of_the_past_wins_at_random(evidence: Evidence) -> Verdict:
    """Judge one half of a reversal."""
    return evidence.difference("ndcg", "popularity", "popularity-recent", **DATA).at_least(0)


@topic.claim(
    "popularity of the recent past ranks better than that of all the past after a temporal split",
    source=POPULAR,
    published="70 % or more on MovieLens",
    blocks=BLOCKS,
)
def the_recent_past_wins_in_time(evidence: Evidence) -> Verdict:
    """Judge the other half."""
    return evidence.difference("ndcg", "popularity-recent", "popularity", scenario="temporal", **DATA).at_least(0)


@topic.claim(
    "where all preferences drift, popularity of the recent past has at least 1.5 times the NDCG of popularity after a "
    "temporal split",
    source=f"{POPULAR}; {OWN}",
    published="1.7 times or more on MovieLens",
    blocks=BLOCKS,
)
def recency_pays_under_drift(evidence: Evidence) -> Verdict:
    """Judge the size of the gain where users come and go."""
    return evidence.ratio("ndcg", "popularity-recent", "popularity", scenario="temporal", **GUESTS).at_least(1.5)


@topic.claim(
    "leave-one-out hides most of it: the gain is at least 1.3 times larger after a temporal split than there",
    source=f"{SPLIT}: leave-one-out lets the test period overlap training; {OWN}",
    blocks=BLOCKS,
)
def leave_one_out_hides_recency(evidence: Evidence) -> Verdict:
    """Judge what the overlap of times does to a model that relies on time."""
    over = ("scenario", "leave_one_out", "temporal")
    return evidence.growth("ndcg", "popularity-recent", "popularity", over, **GUESTS).at_least(1.3)
