"""The task ranking: the ten items to show to each user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from harness import Chart, Judgement, Metric, Profile, Scalar, Takes, Tuning, Work
from harness.topics.recommendation import topic
from harness.topics.recommendation.worlds import (
    ENGINE,
    PARAMS,
    SAMPLED,
    SCENARIOS,
    SYNTHETIC_IMPLICIT,
    holdout,
    prepare,
)

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Feedback, Ranking, Score, Visible

    #: ``score(data)``: the scores that a fitted model gives the test users of the data.
    Fitted: TypeAlias = Callable[[Visible], Score]


def _quality(name: str, summary: str, *, margin: float = 0.005, rate: bool = False) -> Metric:
    return Metric(name, direction="higher", unit="1", margin=margin, summary=summary, rate=rate)


METRICS = (
    _quality("ndcg", "Normalised discounted cumulative gain of the ten items; mean over users."),
    _quality("recall", "Share of a user's items to find that are among the ten; mean over users."),
    _quality("precision", "Share of the ten items that are to be found; mean over users."),
    _quality("average_precision", "Precision at each hit, summed and divided by the items to find; mean over users."),
    _quality("reciprocal_rank", "One by the position of the first hit, or 0; mean over users."),
    _quality("hit_rate", "Share of the users with a hit.", margin=0.01, rate=True),
    _quality("recall_head", "Recall of the most popular items, which have a third of the training interactions."),
    _quality("recall_mid", "Recall of the items between head and tail, which have a third of the interactions."),
    _quality("recall_tail", "Recall of the least popular items, which have a third of the training interactions."),
    _quality("coverage", "Share of the items that are recommended to anybody.", margin=0.01),
    Metric(
        "novelty",
        direction="higher",
        unit="bit",
        margin=0.1,
        summary="Mean of -log2 of the share of users who took a recommended item.",
    ),
    Metric(
        "gini",
        direction="lower",
        unit="1",
        margin=0.01,
        summary="Gini coefficient of how often items are recommended: 0 is equally often.",
    ),
)


def _judge(data: Feedback, output: Any) -> Judgement:
    from harness.topics.recommendation.engine.metrics import judge

    return judge(data, output)


def _visible(data: Feedback) -> Visible:
    return data.visible


def _sizes(data: Visible) -> Mapping[str, Scalar]:
    users, items = data.train.shape
    return {"users": users, "items": items, "density": data.train.nnz / (users * items)}


task = topic.task(
    "ranking",
    title="The ten items that a user is shown, learned from what users took",
    datasets=["debian-dependencies", "movielens-100k", SYNTHETIC_IMPLICIT],
    takes=Takes("interactions", prepare=prepare, overlap=lambda _: 0.25),
    scenarios=SCENARIOS,
    phases=["fit", "recommend"],
    metrics=METRICS,
    judge=_judge,
    view=_visible,
    params=PARAMS,
    work={"fit": Work("interaction", of=("users", "items", "density")), "recommend": Work("user", of=("users",))},
    sizes=_sizes,
    sweep={"users": [1_000, 4_000], "items": [500, 2_000], "density": [0.01, 0.04]},
    reference="item-knn",
    baseline="popularity",
    charts=[
        Chart(
            "ndcg",
            title="NDCG by the length of the ranking",
            x="items shown",
            y="NDCG",
            reading="The dashed line, for generated data, ranks by the true preferences: nothing can be better.",
            limit="oracle",
            limit_title="true preferences",
        )
    ],
    tuning=Tuning(8, holdout),
    stress=[SAMPLED],
    quick=Profile(
        3,
        {"users": 1_000, "items": 500, "density": 0.05},
        datasets=("synthetic-implicit",),
        scenarios=("temporal",),
        strategies=("random", "popularity", "item-knn", "user-knn", "ease", "als", "als-tuned", "bpr"),
        stress=False,
    ),
    full=Profile(
        blocks=5, scenarios=("temporal", "clean", "user_holdout", "cold_users", "cold_items"), sweeps=True, stress=False
    ),
)
#: Modules that every strategy needs, so that compiled functions are loaded before the clock.
NEEDS = (f"{ENGINE}.top",)


def ranked(problem: Problem, phase: PhaseClock, fit: Callable[[Visible], Fitted]) -> Ranking:
    """Fit a model in the phase `fit`, and rank by its scores in the phase `recommend`."""
    from harness.topics.recommendation.engine.top import rank

    for _ in phase("fit"):
        score = fit(problem.data)

    def recommend(data: Visible) -> Ranking:
        return rank(data, score(data))

    for _ in phase("recommend"):
        ranking = recommend(problem.data)
    return problem.with_altered(ranking, phase, recommend)
