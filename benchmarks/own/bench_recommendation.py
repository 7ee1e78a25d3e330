"""Facts about evaluating recommenders: speed beside implicit, and memory. Run with ``make facts``.

Both evaluate the same factors with full rankings, of all items but those that a user has, with one thread. They take
turns, and time is that of the processor. Ours keeps the metrics of each user, of which implicit returns the means.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from yardstick import check_ratio, take_turns

from harness.topics.recommendation.engine.feedback import Visible, matrix
from harness.topics.recommendation.engine.metrics import by_user, found
from harness.topics.recommendation.engine.top import batches, rank

FACTORS, K = 64, 10
GIB = 2**30

#: Evaluates random factors by the judge, and prints the seconds, the bytes of data, and the peak of the process.
EVALUATE = """
import json, sys, time
import numpy as np
from scipy.sparse import csr_array
from harness.data.readers.interactions import Interactions
from harness.topics.recommendation.engine.feedback import Division, Feedback, Visible
from harness.topics.recommendation.engine.metrics import judge
from harness.topics.recommendation.engine.protocols import random_holdout
from harness.topics.recommendation.engine.top import rank

users, items, seen, wanted, factors = map(int, sys.argv[1:])
rng = np.random.default_rng(0)

def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

def rows(first, count):
    # Different items of one user: steps of a random size from a random place, which do not return.
    step = items // (seen + wanted)
    at = rng.integers(0, items, (users, 1), dtype=np.int32) + step * np.arange(first, first + count, dtype=np.int32)
    at %= items
    at.sort(axis=1)
    ends = np.arange(0, users * count + 1, count, dtype=np.int32)
    return csr_array((np.ones(users * count, np.float32), at.ravel(), ends), shape=(users, items))

state = rng.bit_generator.state
history = rows(0, seen)
rng.bit_generator.state = state
test = rows(seen, wanted)
X = rng.standard_normal((users, factors), dtype=np.float32)
Y = rng.standard_normal((items, factors), dtype=np.float32)
empty = np.empty(0, np.int32)
visible = Visible(history, history, np.arange(users), None, None, 10)
division = Division(empty.astype(np.intp), empty.astype(np.intp), empty.astype(np.intp))
feedback = Feedback(
    Interactions(empty, empty, None, None, (), ()), division, random_holdout, visible, np.zeros(users, np.int32), test
)
before, start = peak(), time.perf_counter()
ranking = rank(visible, lambda low, high: X[low:high] @ Y.T)
ranked = time.perf_counter()
judged = judge(feedback, ranking)
print(json.dumps({
    "rank_s": ranked - start, "judge_s": time.perf_counter() - ranked, "before": before, "peak": peak(),
    "pairs": test.nnz, "ndcg": judged.metrics["ndcg"], "examples": len(judged.examples["ndcg"].values),
}))
"""


def _evaluate(users: int, items: int, seen: int, wanted: int, factors: int) -> dict[str, Any]:
    command = [sys.executable, "-c", EVALUATE, *map(str, (users, items, seen, wanted, factors))]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"\n{users:,} users, {items:,} items, {result['pairs']:,} pairs to find, {factors} factors: ranked in "
        f"{result['rank_s']:.1f} s, judged in {result['judge_s']:.1f} s, peak {result['peak'] / GIB:.2f} GiB, "
        f"{(result['peak'] - result['before']) / 2**20:,.0f} MiB of it beside the data"
    )
    assert result["examples"] == users
    return result


def _problem(users: int, items: int) -> tuple[Visible, Any, Any, Any]:
    """Return random factors, what is known of users, and what is to be found: 20 and 5 items of each user."""
    rng = np.random.default_rng(0)
    taken = np.argpartition(rng.random((users, items), dtype=np.float32), 25, axis=1)[:, :25].astype(np.int32)
    owners = np.arange(users)
    history, _ = matrix(np.repeat(owners, 20), taken[:, :20].ravel(), None, (users, items))
    test, _ = matrix(np.repeat(owners, 5), taken[:, 20:].ravel(), None, (users, items))
    X = rng.standard_normal((users, FACTORS), dtype=np.float32)
    Y = rng.standard_normal((items, FACTORS), dtype=np.float32)
    return Visible(history, history, owners, None, None, K), test, X, Y


@pytest.mark.parametrize(("users", "items", "most"), [(10_000, 1_700, 0.5), (5_000, 5_500, 0.5), (1_000, 100_000, 1.0)])
def test_recommendation_is_evaluated_in_half_the_time_of_implicit(users: int, items: int, most: float) -> None:
    """The same NDCG to 1e-6; at 100,000 items the matrix product is most of the time of both."""
    als = pytest.importorskip("implicit.als")
    evaluation = pytest.importorskip("implicit.evaluation")
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    visible, test, X, Y = _problem(users, items)
    model = als.AlternatingLeastSquares(factors=FACTORS, num_threads=1)
    model.user_factors, model.item_factors = X, Y
    theirs = [csr_matrix((part.data, part.indices, part.indptr), part.shape) for part in (visible.train, test)]
    relevant = np.diff(test.indptr)

    def ours() -> dict[str, Any]:
        ranking = rank(visible, lambda start, stop: X[start:stop] @ Y.T)
        return by_user(found(ranking, test), relevant)

    def of_implicit() -> dict[str, float]:
        means: dict[str, float] = evaluation.ranking_metrics_at_k(
            model, *theirs, K=K, show_progress=False, num_threads=1
        )
        return means

    def product() -> None:
        for start, stop in batches(users, items):
            X[start:stop] @ Y.T

    ways: list[Callable[[], object]] = [ours, of_implicit, product]
    with threadpool_limits(1):
        assert ours()["ndcg"].mean() == pytest.approx(of_implicit()["ndcg"], abs=1e-6)
        seconds, implicit_s, product_s = take_turns(*ways, turns=5)
    print(
        f"\n{users:,} users, {items:,} items: the product alone is {_ratio(product_s, seconds):.0%} of our time", end=""
    )
    check_ratio("full ranking and metrics of each user", seconds, "implicit's ranking_metrics_at_k", implicit_s, most)


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def test_memory_of_recommendation_is_bounded_by_the_batch() -> None:
    """With four times as many users, what is needed beside the data grows by their rankings and figures alone."""
    few, many = (_evaluate(users, 20_000, 10, 50, 16) for users in (10_000, 40_000))
    scores = 40_000 * 20_000 * 4
    grown = (many["peak"] - many["before"]) - (few["peak"] - few["before"])
    print(f"30,000 more users: {grown / 30_000:,.0f} bytes each; their scores would be 80,000")
    assert grown <= 30_000 * 2_000
    assert many["peak"] - many["before"] < scores / 10


def test_recommendation_to_a_million_users_is_evaluated_within_8_gib() -> None:
    """1,000,000 users, 100,000 items, 50 million pairs to find: some minutes."""
    assert _evaluate(1_000_000, 100_000, 10, 50, 16)["peak"] <= 8 * GIB
