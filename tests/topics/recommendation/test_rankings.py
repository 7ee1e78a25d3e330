"""Rankings and their metrics: values of another library, closed forms, ties, and outputs that are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topics.recommendation.feedback_of import drawn, interactions

from harness import InvalidOutputError
from harness.topics.recommendation.engine import metrics, protocols, top
from harness.topics.recommendation.engine.feedback import Division, Feedback, Ranking, Visible, matrix
from harness.topics.recommendation.ranking import METRICS

RANX = Path(__file__).with_name("ranx_values.json")


def _rows(rows: list[list[int]], items: int) -> object:
    users = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return matrix(users, np.array([item for row in rows for item in row], dtype=np.int32), None, (len(rows), items))[0]


def _visible(users: int, items: int, seen: list[list[int]] | None = None, k: int = 3) -> Visible:
    history = _rows(seen or [[]] * users, items)
    return Visible(history, history, np.arange(users), None, None, k)


def _rank(scores: npt.ArrayLike, visible: Visible) -> Ranking:
    given = np.asarray(scores, dtype=np.float32)
    return top.rank(visible, lambda start, stop: given[start:stop].copy())


def _plain(scores: np.ndarray, visible: Visible) -> np.ndarray:
    """Rank by sorting, one user after the other."""
    best = np.full((visible.users, visible.k), -1)
    for user in range(visible.users):
        among = np.arange(visible.items) if visible.candidates is None else visible.candidates[user]
        known = set(visible.history[[user]].indices.tolist())
        left = [item for item in among.tolist() if item not in known and scores[user, item] > -np.inf]
        ordered = sorted(left, key=lambda item: (-scores[user, item], item))[: visible.k]
        best[user, : len(ordered)] = ordered
    return best


@pytest.fixture
def feedback() -> Feedback:
    return protocols.divide(drawn(), protocols.random_holdout, np.random.default_rng(0))


@pytest.mark.parametrize("k", [1, 3, 10])
def test_metrics_of_each_user_are_those_of_ranx(k: int) -> None:
    given = json.loads(RANX.read_text(encoding="utf-8"))
    ranking = np.array(given["rankings"], dtype=np.int32)[:, :k].copy()
    test = _rows(given["relevant"], 30)
    relevant = np.array([len(items) for items in given["relevant"]])
    ours = metrics.by_user(metrics.found(ranking, test), relevant)
    for name, values in ours.items():
        np.testing.assert_allclose(values, given["values"][f"{name}@{k}"], atol=1e-12, err_msg=name)


def test_metrics_by_hand() -> None:
    hits = np.array([[False, True, True], [False, False, False]])
    ours = metrics.by_user(hits, np.array([4, 1]))
    ideal = 1 + 1 / math.log2(3) + 1 / 2  # three items, although four are to be found
    expected = {
        "ndcg": (1 / math.log2(3) + 1 / 2) / ideal,
        "recall": 2 / 4,
        "precision": 2 / 3,
        "average_precision": (1 / 2 + 2 / 3) / 4,
        "reciprocal_rank": 1 / 2,
        "hit_rate": 1.0,
    }
    assert {name: values[0] for name, values in ours.items()} == pytest.approx(expected)
    assert {name: values[1] for name, values in ours.items()} == dict.fromkeys(expected, 0.0)


def test_of_equal_scores_the_smaller_number_comes_first() -> None:
    visible = _visible(3, 200, k=3)
    scores = np.zeros((3, 200))
    scores[1, 150] = scores[1, 70] = 1
    scores[2] = -np.arange(200)
    np.testing.assert_array_equal(_rank(scores, visible), [[0, 1, 2], [70, 150, 0], [0, 1, 2]])


def test_known_items_are_not_ranked_and_what_is_missing_is_said() -> None:
    visible = _visible(2, 4, [[0, 1, 2], [3]], k=3)
    np.testing.assert_array_equal(_rank([[9, 8, 7, 1], [1, 2, 3, 4]], visible), [[3, -1, -1], [2, 1, 0]])


def test_scores_that_are_no_numbers_or_minus_infinity_are_not_ranked() -> None:
    visible = _visible(1, 4, k=4)
    np.testing.assert_array_equal(_rank([[np.nan, 1, -np.inf, np.inf]], visible), [[3, 1, -1, -1]])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(1, 6),
    items=st.integers(1, 150),
    levels=st.integers(1, 40),
    among=st.booleans(),
)
def test_rankings_are_those_of_sorting(seed: int, users: int, items: int, levels: int, among: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (users, items)).astype(np.float32)
    seen = [np.flatnonzero(rng.random(items) < 0.2).tolist() for _ in range(users)]
    visible = _visible(users, items, seen, k=min(10, items))
    if among:
        candidates = np.array([rng.permutation(items)[: max(1, items // 2)] for _ in range(users)], dtype=np.int32)
        visible = replace(visible, candidates=candidates)
    np.testing.assert_array_equal(_rank(scores, visible), _plain(scores, visible))


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, feedback: Feedback) -> None:
    scores = np.random.default_rng(0).random((60, 40), dtype=np.float32)
    whole = _rank(scores, feedback.visible)
    monkeypatch.setattr(top, "SCORES", 7 * 40)
    asked: list[int] = []

    def score(start: int, stop: int) -> npt.NDArray[np.float32]:
        asked.append(stop - start)
        part = scores[start:stop]
        part.flags.writeable = False  # a strategy may return what it cannot have changed
        return part

    np.testing.assert_array_equal(top.rank(feedback.visible, score), whole)
    assert max(asked) == 7
    assert sum(asked) == feedback.visible.users


def test_the_best_ranking_has_the_best_figures(feedback: Feedback) -> None:
    ranking = _rank(feedback.test.toarray(), feedback.visible)
    judged = metrics.judge(feedback, ranking).metrics
    assert judged["ndcg"] == judged["hit_rate"] == judged["reciprocal_rank"] == 1
    assert judged["recall"] == pytest.approx(np.minimum(10 / np.diff(feedback.test.indptr), 1).mean())


def test_the_judge_returns_what_is_declared_and_means_are_those_of_users(feedback: Feedback) -> None:
    ranking = _rank(np.random.default_rng(0).random((60, 40)), feedback.visible)
    judged = metrics.judge(feedback, ranking)
    assert set(judged.metrics) == {metric.name for metric in METRICS}
    for name, examples in judged.examples.items():
        assert judged.metrics[name] == pytest.approx(examples.values.mean())
    assert len(judged.examples["ndcg"].values) == feedback.visible.users == judged.n["hit_rate"]
    assert judged.curves["ndcg"].y[-1] == pytest.approx(judged.metrics["ndcg"])


def test_figures_of_the_catalogue_by_hand() -> None:
    data = interactions([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2), (1, 3)])
    feedback = protocols.arrange(
        data, protocols.random_holdout, Division(np.arange(6), np.arange(6), np.array([6, 7])), None, None
    )
    ranking = np.array([[2, 3, -1, -1], [3, 2, -1, -1]], dtype=np.int32)
    popularity = np.array([4, 2, 0, 0])
    figures = metrics.of_catalogue(ranking, popularity, feedback)
    assert figures["coverage"] == 2 / 4
    assert figures["novelty"] == pytest.approx(math.log2(4 / 0.5))
    assert figures["gini"] == pytest.approx(0.5)  # half of the items have everything


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(any))
@settings(max_examples=50, deadline=None)
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    n, total = len(counts), sum(counts)
    differences = sum(abs(one - other) for one in counts for other in counts)
    assert metrics.gini(np.array(counts)) == pytest.approx(differences / (2 * n * total))


def test_bands_of_popularity_have_a_third_of_the_interactions_each() -> None:
    np.testing.assert_array_equal(metrics.bands(np.array([2, 0, 9, 3, 4, 1, 8])), [2, 2, 0, 2, 1, 2, 1])


def test_recall_of_a_band_counts_the_items_of_that_band() -> None:
    past = (
        [(user, 0) for user in range(6)] + [(user, 1) for user in range(5)] + [(0, 2), (1, 3), (2, 4), (5, 2), (5, 3)]
    )
    test = [(3, 2), (3, 3), (4, 4), (5, 1)]
    data = interactions(past + test)
    division = Division(np.arange(len(past)), np.arange(len(past)), np.arange(len(past), len(data)))
    feedback = protocols.arrange(data, protocols.random_holdout, division, None, None)
    ranking = np.array([[2, 4, -1, -1, -1], [2, 3, -1, -1, -1], [1, 4, -1, -1, -1]], dtype=np.int32)
    judged = metrics.judge(feedback, ranking).metrics
    assert judged["recall_head"] == 0  # nobody has a popular item to find
    assert judged["recall_mid"] == 1  # item 1, for user 5
    assert judged["recall_tail"] == pytest.approx((1 / 2 + 0) / 2)  # users 3 and 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r[:-1], r"shape \(\d+, 10\); it must be integers of shape \(\d+, 10\)"),
        (lambda r: r.astype(float), "of type float64"),
        (lambda r: np.where(r == r[0, 0], 40, r), "outside of 0 to 39"),
        (lambda r: np.where(r == r[0, 0], r[0, 1], r), "has an item twice"),
        (lambda r: np.hstack([np.full((len(r), 1), -1), r[:, 1:]]), "has an item after -1"),
    ],
)
def test_what_is_no_ranking_is_refused(feedback: Feedback, change: object, message: str) -> None:
    ranking = _rank(np.random.default_rng(0).random((60, 40)), feedback.visible)
    assert callable(change)
    with pytest.raises(InvalidOutputError, match=message):
        metrics.judge(feedback, change(ranking))


def test_recommending_what_a_user_has_is_refused(feedback: Feedback) -> None:
    ranking = _rank(np.random.default_rng(0).random((60, 40)), feedback.visible)
    ranking[3, 0] = feedback.visible.history[[3]].indices[0]
    with pytest.raises(InvalidOutputError, match="test user 3 has an item that the user has already"):
        metrics.judge(feedback, ranking)


def test_recommending_what_is_no_candidate_is_refused() -> None:
    feedback = protocols.divide(drawn(), protocols.cold_items, np.random.default_rng(0))
    visible = feedback.visible
    ranking = _rank(np.random.default_rng(0).random((60, 40)), visible)
    metrics.judge(feedback, ranking)
    ranking = _rank(np.random.default_rng(0).random((60, 40)), replace(visible, candidates=None))
    with pytest.raises(InvalidOutputError, match="not among the candidates"):
        metrics.judge(feedback, ranking)


def test_fewer_items_than_a_ranking_is_long() -> None:
    feedback = protocols.divide(drawn(items=6), protocols.random_holdout, np.random.default_rng(0))
    assert feedback.visible.k == 6
    ranking = _rank(np.random.default_rng(0).random((60, 6)), feedback.visible)
    assert (ranking == -1).any()
    metrics.judge(feedback, ranking)
