"""Claims about protocols: what a split or a sample of items does to figures and to the order of strategies.

They are judged on generated data of 1,000 users and 500 items with 4 % density, where preferences and popularity drift:
half of them is replaced from the first to the last interaction, unless a claim says that all are, or names Debian.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.recommendation import topic

LEAK = "Ji et al. 2023, A critical study on data leakage in recommender system offline evaluation, arXiv 2010.11060"
POPULAR = "Ji et al. 2020, A re-visit of the popularity baseline in recommender systems, arXiv 2005.13829"
SPLIT = "Gusak et al. 2025, Time to split, arXiv 2507.16289"
SAMPLED = "Krichene & Rendle 2020, On sampled metrics for item recommendation, KDD"
CAUSAL = "Bonner & Vasile 2018, Causal embeddings for recommendation, arXiv 1706.07639"
OWN = "the bound is this project's"

DATA: dict[str, Scalar] = {
    "dataset": "synthetic-implicit",
    "users": 1_000,
    "items": 500,
    "density": 0.04,
    "drift": 0.5,
    "stay": 1.0,
}
#: Everything drifts, and a user stays for two fifths of the time, so that users' last items are spread over time.
GUESTS: dict[str, Scalar] = {**DATA, "drift": 1.0, "stay": 0.4}
PACKAGES: dict[str, Scalar] = {"dataset": "debian-dependencies"}
#: Users who come and go leave fewer to test, so that what is said of them needs more blocks.
BLOCKS, MORE_BLOCKS = 8, 12


@topic.claim(
    "after a random split, popularity of all the past ranks better than that of the recent past",
    source=f"{LEAK}: orders depend on what of the future is in training",
    blocks=BLOCKS,
)
def all_of_the_past_wins_at_random(evidence: Evidence) -> Verdict:
    """Judge one half of a reversal."""
    return evidence.difference("ndcg", "popularity", "popularity-recent", **DATA).at_least(0)


@topic.claim(
    "after a global temporal split, popularity of the recent past ranks better than that of all the past",
    source=POPULAR,
    published="70 % or more on MovieLens, for popularity at the time of the user's visit",
    blocks=MORE_BLOCKS,
)
def the_recent_past_wins_in_time(evidence: Evidence) -> Verdict:
    """Judge the other half."""
    return evidence.difference("ndcg", "popularity-recent", "popularity", scenario="temporal", **DATA).at_least(0)


@topic.claim(
    "where all preferences drift, recent popularity has 1.2 times popularity's NDCG or more after a temporal split",
    source=f"{POPULAR}; {OWN}",
    published="1.7 times or more on MovieLens",
    blocks=MORE_BLOCKS,
)
def recency_pays_under_drift(evidence: Evidence) -> Verdict:
    """Judge the size of the gain where users come and go."""
    return evidence.ratio("ndcg", "popularity-recent", "popularity", scenario="temporal", **GUESTS).at_least(1.2)


@topic.claim(
    "where all preferences drift, BPR ranks better than recent popularity when one item of each user is left out",
    source=f"{SPLIT}: leave-one-out can turn the order of models",
    blocks=MORE_BLOCKS,
)
def bpr_wins_with_a_leak(evidence: Evidence) -> Verdict:
    """Judge one half of a reversal."""
    where = {**GUESTS, "scenario": "leave_one_out"}
    return evidence.difference("ndcg", "bpr", "popularity-recent", **where).at_least(0)


@topic.claim(
    "where all preferences drift, BPR ranks worse than recent popularity after a global temporal split",
    source=f"{SPLIT}: leave-one-out can turn the order of models",
    blocks=MORE_BLOCKS,
)
def bpr_loses_without_a_leak(evidence: Evidence) -> Verdict:
    """Judge the other half."""
    return evidence.difference("ndcg", "bpr", "popularity-recent", scenario="temporal", **GUESTS).at_most(0)


@topic.claim(
    "among all items, user-kNN has at least 0.03 more NDCG than item-kNN on Debian's dependencies",
    source=f"{SAMPLED}: exact metrics; {OWN}",
    blocks=4,
)
def user_knn_wins_among_all_items(evidence: Evidence) -> Verdict:
    """Judge one half of a reversal."""
    return evidence.difference("ndcg", "user-knn", "item-knn", **PACKAGES).at_least(0.03)


@topic.claim(
    "among 100 sampled items, the same user-kNN ranks worse than the same item-kNN",
    source=f"{SAMPLED}: sampled metrics do not keep the order of models",
    blocks=4,
)
def user_knn_loses_among_sampled_items(evidence: Evidence) -> Verdict:
    """Judge the other half."""
    return evidence.difference("ndcg_at_sampled_100", "user-knn", "item-knn", **PACKAGES).at_most(0)


@topic.claim(
    "where test items are less popular, EASE's NDCG divided by popularity's is at least 1.2 times larger than without",
    source=f"{CAUSAL}: outcomes of a logged policy differ from those of random exposure; {OWN}",
    blocks=14,
)
def a_shift_of_popularity_tells_models_apart(evidence: Evidence) -> Verdict:
    """Judge what a flatter test distribution does to the lead over popularity."""
    over = ("scenario", "clean", "popularity_shift")
    return evidence.growth("ndcg", "ease", "popularity", over, **DATA).at_least(1.2)


@topic.claim(
    "a tenth of random interactions more in training costs EASE at most a tenth of its NDCG",
    source=f"no published figure: {OWN}",
    blocks=BLOCKS,
)
def random_interactions_cost_little(evidence: Evidence) -> Verdict:
    """Judge how much noise of that kind matters."""
    return evidence.speedup("ndcg", "ease", ("scenario", "clean", "noise(0.1)"), **DATA).at_most(1.1)
