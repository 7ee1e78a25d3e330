"""Claims about factorisation and cold start.

Unless a claim says otherwise, data are generated: 1,000 users, 500 items, a fiftieth of the pairs.
"""

from __future__ import annotations

from harness import Evidence, Scalar, Verdict
from harness.topics.recommendation import topic

IALS = "Rendle, Krichene, Zhang & Koren 2021, Revisiting the performance of iALS, arXiv 2110.14037"
HU = "Hu, Koren & Volinsky 2008, Collaborative filtering for implicit feedback datasets"
TAKACS = "Takacs, Pilaszy & Tikk 2011, Applications of the conjugate gradient method for implicit feedback"
CREMONESI = "Cremonesi, Koren & Turrin 2010, Performance of recommender algorithms on top-N recommendation tasks"
GANTNER = "Gantner et al. 2010, Learning attribute-to-feature mappings for cold-start recommendations"
COLLECTIVE = "Singh & Gordon 2008, Relational learning via collective matrix factorization"
OWN = "the bound is this project's"

SMALL: dict[str, Scalar] = {"dataset": "synthetic-implicit", "users": 1_000, "items": 500, "density": 0.02}
PACKAGES: dict[str, Scalar] = {"dataset": "debian-dependencies"}
FILMS: dict[str, Scalar] = {"dataset": "movielens-100k"}
REGULARISED = "als[alpha=8.0,factors=32,regularization=30.0]"
MIDDLE = "als[factors=64,regularization=10.0]"


@topic.claim("tuning ALS gains at least as much NDCG as replacing it by BPR", source=IALS, blocks=10)
def tuning_gains_more_than_bpr(evidence: Evidence) -> Verdict:
    """Compare both with ALS at its defaults, which cancels."""
    return evidence.difference("ndcg", "als-tuned", "bpr", **SMALL).at_least(0)


@topic.claim("tuning ALS gains at least as much NDCG as replacing it by LMF", source=IALS, blocks=10)
def tuning_gains_more_than_lmf(evidence: Evidence) -> Verdict:
    """Compare both with ALS at its defaults, which cancels."""
    return evidence.difference("ndcg", "als-tuned", "lmf", **SMALL).at_least(0)


@topic.claim(
    "on the dependencies of packages, the tuned ALS has at least 1.3 times the NDCG of its defaults",
    source=f"{IALS}; {OWN}",
    blocks=4,
)
def tuning_matters_on_packages(evidence: Evidence) -> Verdict:
    """Judge what eight tries gain on measured data."""
    return evidence.ratio("ndcg", "als-tuned", "als", **PACKAGES).at_least(1.3)


@topic.claim(
    "on MovieLens-100k, the tuned ALS has at least 1.2 times the NDCG of its defaults",
    source=f"{IALS}; {OWN}",
    blocks=8,
)
def tuning_matters_on_films(evidence: Evidence) -> Verdict:
    """Judge what eight tries gain on measured data."""
    return evidence.ratio("ndcg", "als-tuned", "als", **FILMS).at_least(1.2)


@topic.claim(
    "on the dependencies of packages, ALS with a regularisation of 10 has 0.05 more NDCG than with 0.01",
    source=f"{IALS}; {OWN}",
    blocks=5,
)
def too_little_regularisation_overfits(evidence: Evidence) -> Verdict:
    """Judge one side of an inner optimum, with 64 factors."""
    return evidence.difference("ndcg", MIDDLE, "als[factors=64]", **PACKAGES).at_least(0.05)


@topic.claim(
    "on the dependencies of packages, ALS with a regularisation of 10 has 0.05 more NDCG than with 100",
    source=f"{IALS}; {OWN}",
    blocks=5,
)
def too_much_regularisation_underfits(evidence: Evidence) -> Verdict:
    """Judge the other side of an inner optimum, with 64 factors."""
    return evidence.difference("ndcg", MIDDLE, "als[factors=64,regularization=100.0]", **PACKAGES).at_least(0.05)


@topic.claim(
    "from 128 factors, ALS by conjugate gradients trains in a fifth of Cholesky's CPU time",
    source=f"{TAKACS}; {OWN}",
    blocks=12,
)
def conjugate_gradients_are_faster(evidence: Evidence) -> Verdict:
    """Judge the fit alone."""
    return evidence.ratio("fit.cpu_s", "als-cholesky[factors=128]", "als[factors=128]", **SMALL).at_least(5)


@topic.claim(
    "with 128 factors and a regularisation of 30, NDCG by conjugate gradients is within 0.01 of Cholesky's",
    source=f"{TAKACS}; {OWN}",
    blocks=5,
)
def conjugate_gradients_are_as_good(evidence: Evidence) -> Verdict:
    """Judge what three steps instead of an exact solution cost, where ALS is regularised well."""
    options = "alpha=8.0,factors=128,regularization=30.0"
    return evidence.tied("ndcg", f"als[{options}]", f"als-cholesky[{options}]", 0.01, **SMALL)


@topic.claim(
    "from 128 to 256 factors, the whole CPU time of ALS by Cholesky grows at least 2.8 times",
    source=f"{HU}; {OWN}",
    blocks=8,
)
def cholesky_grows_with_factors(evidence: Evidence) -> Verdict:
    """Judge a step between 4 times, of the products, and 8 times, of the decomposition.

    BLAS lowers it, and so does what does not grow with the factors, which makes the claim harder to support.
    """
    return evidence.ratio("fit.cpu_s", "als-cholesky[factors=256]", "als-cholesky[factors=128]", **SMALL).at_least(2.8)


@topic.claim(
    "from 64 to 128 factors, the whole CPU time of ALS by conjugate gradients grows at most 2.8 times",
    source=f"{TAKACS}; {OWN}",
    blocks=12,
)
def conjugate_gradients_grow_with_factors(evidence: Evidence) -> Verdict:
    """Judge a step between 2 times, of the interactions, and 4 times, of the products of vectors and Y'Y.

    What does not grow with the factors is part of this time and lowers the ratio, from which no exponent follows.
    """
    return evidence.ratio("fit.cpu_s", "als[factors=128]", "als[factors=64]", **SMALL).at_most(2.8)


@topic.claim(
    "the training time of ALS with 32 factors is linear in users: beside a fixed cost, at an exponent of 1 within 0.2",
    source=f"{HU}; {OWN}",
    blocks=8,
)
def als_is_linear_in_users(evidence: Evidence) -> Verdict:
    """Judge the exponent over 3,000 to 27,000 users, at equal density; the fixed cost includes that of the items."""
    where = {name: value for name, value in SMALL.items() if name != "users"}
    sizes = ("users", 3_000, 9_000, 27_000)
    return evidence.slope("fit.cpu_s", "als[factors=32]", over=sizes, **where).within(0.2, of=1)


@topic.claim(
    "the training time of ALS with 32 factors is linear in items: beside a fixed cost, at an exponent of 1 within 0.2",
    source=f"{HU}; {OWN}",
    blocks=6,
)
def als_is_linear_in_items(evidence: Evidence) -> Verdict:
    """Judge the exponent over 2,000 to 18,000 items, at equal density; the fixed cost includes that of the users."""
    where: dict[str, Scalar] = {"dataset": "synthetic-implicit", "users": 1_000, "density": 0.02}
    sizes = ("items", 2_000, 6_000, 18_000)
    return evidence.slope("fit.cpu_s", "als[factors=32]", over=sizes, **where).within(0.2, of=1)


@topic.claim(
    "the training time of ALS with 16 factors is linear in interactions: beside the cost of users and items, at an "
    "exponent of 1 within 0.25 in the density",
    source=f"{HU}; {OWN}",
    blocks=8,
)
def als_is_linear_in_interactions(evidence: Evidence) -> Verdict:
    """Judge the exponent where a user has 40 to 200 items."""
    where: dict[str, Scalar] = {"dataset": "synthetic-implicit", "users": 2_000, "items": 2_000}
    sizes = ("density", 0.02, 0.05, 0.1)
    return evidence.slope("fit.cpu_s", "als[factors=16]", over=sizes, **where).within(0.25, of=1)


@topic.claim(
    "for cold users, a popularity back-off gains at least 0.01 NDCG over ALS alone",
    source=f"no published figure: {OWN}",
    blocks=20,
)
def back_off_repairs_cold_users(evidence: Evidence) -> Verdict:
    """Judge users of whom at most three items are known, of a quarter of them none."""
    return evidence.difference("ndcg", "als-popularity", REGULARISED, scenario="cold_users", **SMALL).at_least(0.01)


@topic.claim(
    "folding cold users in from one to three items gains at least 0.005 NDCG over popularity",
    source=f"no published figure: {OWN}",
    blocks=20,
)
def folding_in_beats_popularity(evidence: Evidence) -> Verdict:
    """Judge ALS with a back-off that ranks the users without any item by popularity, too."""
    where: dict[str, Scalar] = SMALL | {"scenario": "cold_users"}
    return evidence.difference("ndcg", "als-popularity", "popularity", **where).at_least(0.005)


@topic.claim(
    "for cold users, ALS with a back-off whose threshold is tuned has at most 0.01 less NDCG than popularity",
    source=f"no published figure: {OWN}",
    blocks=20,
)
def tuned_back_off_is_no_worse(evidence: Evidence) -> Verdict:
    """Judge the threshold that four tries choose, the number of known items from which on users are folded in."""
    where: dict[str, Scalar] = SMALL | {"scenario": "cold_users"}
    return evidence.difference("ndcg", "als-popularity-tuned", "popularity", **where).at_least(-0.01)


@topic.claim(
    "for cold items, factors that ridge regression predicts from features gain at least 0.02 NDCG",
    source=f"{GANTNER}; {OWN}",
    blocks=20,
)
def features_repair_cold_items(evidence: Evidence) -> Verdict:
    """Judge the hybrid against ALS alone, whose factors of cold items are 0, so that it ranks them by number."""
    return evidence.difference("ndcg", "als-features", REGULARISED, scenario="cold_items", **SMALL).at_least(0.02)


@topic.claim(
    "for cold items, factorising features together with interactions is at least as good as content alone",
    source=COLLECTIVE,
    blocks=20,
)
def hybrid_beats_content(evidence: Evidence) -> Verdict:
    """Judge whether interactions add to features where the items are new."""
    return evidence.difference("ndcg", "als-collective", "content", scenario="cold_items", **SMALL).at_least(0)


@topic.claim(
    "for cold packages, factors that ridge regression predicts from features have 0.1 more NDCG than popularity",
    source=f"{GANTNER}; {OWN}",
    blocks=10,
)
def features_repair_cold_packages(evidence: Evidence) -> Verdict:
    """Judge the same on measured data, with sections and words of descriptions as features."""
    where: dict[str, Scalar] = PACKAGES | {"scenario": "cold_items"}
    return evidence.difference("ndcg", "als-features", "popularity", **where).at_least(0.1)


@topic.claim("for cold packages, predicted factors are at least as good as content alone", source=GANTNER, blocks=10)
def predicted_factors_beat_content(evidence: Evidence) -> Verdict:
    """Judge whether interactions add to features where features are rich."""
    where: dict[str, Scalar] = PACKAGES | {"scenario": "cold_items"}
    return evidence.difference("ndcg", "als-features", "content", **where).at_least(0)


@topic.claim(
    "with 10 % random interactions, regularised ALS retains at least 90 % of its NDCG",
    source=f"{IALS}; {OWN}",
    blocks=10,
)
def als_withstands_noise(evidence: Evidence) -> Verdict:
    """Judge random pairs added to training."""
    return evidence.speedup("ndcg", REGULARISED, ("scenario", "clean", "noise(0.1)"), **SMALL).at_most(1 / 0.9)


@topic.claim(
    "on MovieLens-100k, popularity has 0.1 more NDCG than a factorisation of ratings",
    source=f"{CREMONESI}; {OWN}",
    blocks=5,
)
def ratings_do_not_rank(evidence: Evidence) -> Verdict:
    """Judge a model that learns nothing from what was left unrated."""
    return evidence.difference("ndcg", "popularity", "biased-mf", **FILMS).at_least(0.1)
