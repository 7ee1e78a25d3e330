"""Claims about neighbourhoods and linear models.

Unless a claim says otherwise, quality is NDCG at 10 with a fifth of the interactions held out at random, over all items
that a user does not have yet. MovieLens means movielens-100k with all ratings as positives.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.recommendation import topic

STECK = "Steck 2019, Embarrassingly shallow autoencoders for sparse data, arXiv 1905.03375"
TROUBLING = "Ferrari Dacrema et al. 2021, A troubling analysis of reproducibility and progress, arXiv 1911.07698"
SPISAK = "Spisak et al. 2023, Scalable approximate nonsymmetric autoencoder for collaborative filtering, RecSys"
DESHPANDE = "Deshpande & Karypis 2004, Item-based top-N recommendation algorithms, ACM TOIS 22(1)"
OWN = "the bound is this project's"

MOVIELENS: dict[str, Scalar] = {"dataset": "movielens-100k"}
DEBIAN: dict[str, Scalar] = {"dataset": "debian-dependencies"}
GROWING: dict[str, Scalar] = {"dataset": "synthetic-implicit", "items": 500, "density": 0.02}
USERS = ("users", 2_000, 8_000, 32_000)


@topic.claim(
    "on MovieLens, EASE has at most 0.02 less NDCG than ALS, each with the best of eight tries",
    source=f"{STECK}; {OWN}",
    published="MovieLens-20M, NDCG at 100: EASE 0.420; ALS 0.386 in arXiv 1802.05814; 2110.14037 tunes it further",
    blocks=10,
)
def ease_beats_als(evidence: Evidence) -> Verdict:
    """Judge the order of two tuned models on a small catalogue."""
    return evidence.difference("ndcg", "ease-tuned", "als-tuned", **MOVIELENS).at_least(-0.02)


@topic.claim(
    "on Debian's dependencies, EASE at its defaults has at least the NDCG of ALS with the best of eight tries",
    source=f"{STECK}; {OWN}",
    blocks=3,
)
def ease_beats_als_on_sparse_data(evidence: Evidence) -> Verdict:
    """Judge the same where users have few items."""
    return evidence.difference("ndcg", "ease", "als-tuned", **DEBIAN).at_least(0)


@topic.claim(
    "on MovieLens, EASE has at least the NDCG of SLIM, each at defaults that suit the data",
    source=STECK,
    published="MovieLens-20M, NDCG at 100: EASE 0.420; SLIM 0.401 in arXiv 1802.05814",
    blocks=12,
)
def ease_beats_slim(evidence: Evidence) -> Verdict:
    """Judge the closed form against the elastic net."""
    return evidence.difference("ndcg", "ease", "slim", **MOVIELENS).at_least(0)


@topic.claim(
    "on MovieLens, item-kNN at its defaults has more NDCG than ALS at the defaults of implicit",
    source=TROUBLING,
    blocks=5,
)
def neighbours_beat_als(evidence: Evidence) -> Verdict:
    """Judge what factorisation is worth untuned."""
    return evidence.difference("ndcg", "item-knn", "als", **MOVIELENS).at_least(0)


@topic.claim(
    "on Debian's dependencies, item-kNN at its defaults has at least 0.1 more NDCG than ALS at those of implicit",
    source=f"{TROUBLING}; {OWN}",
    blocks=3,
)
def neighbours_beat_als_by_far(evidence: Evidence) -> Verdict:
    """Judge the same on data of another kind."""
    return evidence.difference("ndcg", "item-knn", "als", **DEBIAN).at_least(0.1)


@topic.claim(
    "on MovieLens, 100 neighbours of the item to score give at least 0.02 more NDCG than votes of the user's items for "
    "their 100 neighbours",
    source=f"{DESHPANDE}, which votes; {OWN}",
    blocks=5,
)
def whose_neighbours_matters(evidence: Evidence) -> Verdict:
    """Judge two definitions that go by one name."""
    return evidence.difference("ndcg", "item-knn", "item-knn[side=source]", **MOVIELENS).at_least(0.02)


@topic.claim(
    "on Debian's dependencies, SANSA with weights for 5 % of the pairs has at least 98 % of the NDCG of EASE",
    source=f"{SPISAK}; {OWN}",
    blocks=6,
)
def sansa_is_close(evidence: Evidence) -> Verdict:
    """Judge what the sparse inverse costs in quality."""
    return evidence.ratio("ndcg", "sansa", "ease", **DEBIAN).at_least(0.98)


@topic.claim(
    "on Debian's dependencies, the fit of SANSA with weights for 5 % of the pairs takes at most 25 % of EASE's memory",
    source=f"{SPISAK}; {OWN}",
    blocks=6,
)
def sansa_is_small(evidence: Evidence) -> Verdict:
    """Judge what the sparse inverse saves in peak memory."""
    return evidence.ratio("fit.peak_bytes", "sansa", "ease", **DEBIAN).at_most(0.25)


@topic.claim(
    "on MovieLens, SANSA with weights for 5 % of the pairs has at least 98 % of the NDCG of EASE",
    source=f"{SPISAK}; {OWN}",
    blocks=10,
)
def sansa_is_close_on_dense_data(evidence: Evidence) -> Verdict:
    """Judge the sparse inverse of a Gram matrix that is mostly not zero."""
    return evidence.ratio("ndcg", "sansa", "ease", **MOVIELENS).at_least(0.98)


@topic.claim(
    "at 500 items and beside fixed costs, the exponent of the CPU time of user-kNN in users is at least 0.3 above that "
    "of item-kNN",
    source=f"{DESHPANDE}: the cost of user-kNN grows linearly with the users; {OWN}",
    blocks=5,
)
def user_knn_slows_down(evidence: Evidence) -> Verdict:
    """Judge times from 2,000 to 32,000 users."""
    return evidence.slope("cpu_s", "user-knn", "item-knn", over=USERS, **GROWING).at_least(0.3)


@topic.claim(
    "at 500 items the CPU time of item-kNN grows, beside a fixed cost, at most as users^1.2",
    source=f"{DESHPANDE}; {OWN}",
    blocks=5,
)
def item_knn_is_linear(evidence: Evidence) -> Verdict:
    """Judge times from 2,000 to 32,000 users."""
    return evidence.slope("cpu_s", "item-knn", over=USERS, **GROWING).at_most(1.2)


@topic.claim(
    "at 500 items and 32,000 users, item-kNN takes at most three quarters of the memory of user-kNN",
    source=f"{DESHPANDE}; {OWN}",
    blocks=5,
)
def item_knn_is_small(evidence: Evidence) -> Verdict:
    """Judge the peak of both phases where users outnumber items."""
    return evidence.ratio("peak_bytes", "item-knn", "user-knn", users=32_000, **GROWING).at_most(0.75)


@topic.claim(
    "on MovieLens, EASE with lambda 200 has at least 0.05 more NDCG than with lambda 10",
    source=f"{STECK}: one penalty decides; {OWN}",
    blocks=12,
)
def ease_needs_regularisation(evidence: Evidence) -> Verdict:
    """Judge the lower side of an inner optimum."""
    of, to = "ease", "ease[regularisation=10]"
    return evidence.difference("ndcg", of, to, **MOVIELENS).at_least(0.05)


@topic.claim(
    "on MovieLens, EASE with lambda 200 has at least 0.01 more NDCG than with lambda 2000",
    source=f"{STECK}: one penalty decides; {OWN}",
    blocks=12,
)
def ease_can_be_regularised_too_much(evidence: Evidence) -> Verdict:
    """Judge the upper side of an inner optimum."""
    of, to = "ease", "ease[regularisation=2000]"
    return evidence.difference("ndcg", of, to, **MOVIELENS).at_least(0.01)
