"""The recommended strategy, whether it is settled, and the sentences that say why."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest

from harness.analysis.advice import Advice, advise
from harness.analysis.aggregates import CellAggregate, aggregate
from harness.analysis.recommendation import Recommendation, recommend
from harness.analysis.run_set import RunSet, TaskInfo
from harness.records import Phase, Record, Seeds, Status, Trial
from harness.store.header import JudgedMetric, StrategyCard, TaskCard

AUC = JudgedMetric("t/task", "auc", "higher", "1", margin=0.01)


def record(
    strategy: str,
    block: int,
    cost: float,
    auc: float,
    size: float = 100,
    status: Status = "ok",
    scenario: str = "clean",
) -> Record:
    trial = Trial("t", "task", strategy, "data", scenario, {}, {}, block, Seeds(block, 1, 2))
    return Record(
        trial, status, phases={"fit": Phase([cost], [cost], peak_bytes=int(size * 10**6))}, metrics={"auc": auc}
    )


def cells(blocks: int = 4, **strategies: tuple[float, float, float]) -> list[CellAggregate]:
    """Plant strategies of given cost, quality and memory (in MB), with a little spread between blocks."""
    records = [
        record(
            name.replace("_", "-"),
            block,
            cost * (1 + block / 100) * jitter,
            auc + block / 1000 + index / 1e4,
            size * jitter,
        )
        for block in range(blocks)
        for place, (name, (cost, auc, size)) in enumerate(strategies.items())
        for index in [block * place % 3]
        for jitter in [1 + index / 1e5]
    ]
    return aggregate([("run", "machine", records)])


def task(*metrics: JudgedMetric, baseline: str = "", notes: Sequence[StrategyCard] = ()) -> TaskInfo:
    return TaskInfo(TaskCard("t/task", baseline=baseline), metrics or (AUC,), {card.name: card for card in notes}, "")


def found(planted: list[CellAggregate], info: TaskInfo | None = None) -> Recommendation:
    return recommend(info or task(), planted, RunSet([], [], planted))


def said(planted: list[CellAggregate], info: TaskInfo | None = None) -> Advice:
    return advise(found(planted, info), info or task())


def test_cheapest_of_those_as_good_as_the_best() -> None:
    advice = said(cells(exact=(6.0, 0.80, 50), hist=(1.0, 0.795, 100), bad=(0.1, 0.5, 1)))
    assert (advice.state, advice.take) == ("settled", "hist")
    assert advice.why == "6x less CPU than exact [6, 6] at equal AUC (0.7966)"
    assert advice.as_good == "as good: exact (6.00x the CPU, 0.50x the memory)"


def test_memory_too_small_to_be_measured_is_not_compared() -> None:
    advice = said(cells(exact=(6.0, 0.80, 0.05), hist=(1.0, 0.795, 100)))
    assert advice.as_good == "as good: exact (6.00x the CPU)"


def test_better_quality_goes_over_cost_and_the_price_is_said() -> None:
    advice = said(cells(exact=(6.0, 0.9, 100), hist=(1.0, 0.8, 100)))
    assert (advice.state, advice.take) == ("settled", "exact")
    assert advice.why == (
        "AUC of 0.9015, 0.0999 higher than hist [0.0998, 0.1001], with 6x more CPU [6, 6] and tied memory"
    )


def test_lower_is_better_where_the_metric_says_so() -> None:
    loss = JudgedMetric("t/task", "auc", "lower", "nat", margin=0.01)
    assert found(cells(a=(1.0, 0.5, 1), b=(2.0, 0.3, 1), c=(3.0, 0.305, 1)), task(loss)).take == "b"


def test_one_block_settles_nothing() -> None:
    advice = said(cells(1, exact=(6.0, 0.80, 50), hist=(1.0, 0.795, 100)))
    assert (advice.state, advice.take, advice.why) == ("open", "hist", "")
    assert advice.open == "hist leads in one block, which says nothing of chance: exact may be better"


def test_what_the_blocks_do_not_tell_apart_is_open() -> None:
    values = {"a": (0.80, 0.84, 0.81), "b": (0.81, 0.80, 0.82)}
    records = [record(name, block, 1.0, auc) for name, row in values.items() for block, auc in enumerate(row)]
    advice = said(aggregate([("run", "machine", records)]))
    assert (advice.state, advice.take) == ("open", "a")
    assert advice.open == "a leads; 3 blocks do not tell it apart from b"


def test_a_difference_without_spread_is_said_to_be_one() -> None:
    values = {"a": (0.80, 0.81, 0.82), "b": (0.70, 0.71, 0.72)}
    records = [record(name, block, 1.0, auc) for name, row in values.items() for block, auc in enumerate(row)]
    advice = said(aggregate([("run", "machine", records)]))
    assert advice.open == (
        "a leads; its AUC differs from that of b by the same in all 3 blocks, so nothing is known of chance"
    )


def noisy(blocks: int, costs: Sequence[float], spread: float = 0.02, elapsed: float = 2.0) -> list[CellAggregate]:
    """Plant two strategies whose qualities and costs differ by chance."""
    records = [
        msgspec.structs.replace(
            record(
                name,
                block,
                cost * (1 + spread * ((block * (place + 2)) % 3 - 1)),
                0.8 + 0.003 * ((block * (place + 1)) % 3),
            ),
            elapsed_s=elapsed,
        )
        for block in range(blocks)
        for place, (name, cost) in enumerate(zip("ab", costs, strict=True))
    ]
    return aggregate([("run", "machine", records)])


def test_an_open_answer_says_how_long_it_takes_to_settle_it() -> None:
    advice = said(noisy(3, (1.0, 1.1), spread=0.05))
    assert advice.state == "open"
    assert advice.seconds is not None
    low, high = advice.seconds
    # Two strategies of 2 s a block; looks have 6, 12, 24 ... blocks.
    assert (low + 12) / 4 in (6, 12, 24)
    assert low <= high


def test_what_is_beyond_a_limit_is_left_out_unless_all_are() -> None:
    planted = cells(bold=(1.0, 0.9, 100), safe=(2.0, 0.5, 100), poor=(2.0, 0.4, 100))
    limit = msgspec.structs.replace(AUC, limit=0.7, direction="lower", name="auc")
    advice = said(planted, task(AUC, limit))
    assert advice.take == "safe"
    assert advice.remarks == ("left out beyond AUC 0.7: bold",)
    none = said(planted, task(AUC, msgspec.structs.replace(limit, limit=0.1)))
    assert none.take == "bold"
    assert none.remarks == ("all strategies are beyond AUC 0.1",)


def test_a_yardstick_is_not_recommended_though_it_is_cheapest() -> None:
    info = task(notes=[StrategyCard("t/task", "copy", yardstick=True)])
    recommendation = found(cells(copy=(0.1, 0.80, 1), hist=(1.0, 0.80, 100), exact=(6.0, 0.80, 50)), info)
    assert (recommendation.state, recommendation.take) == ("settled", "hist")
    assert "copy" not in recommendation.quality


def test_a_strategy_that_failed_once_is_not_recommended() -> None:
    records = [record(name, block, cost, 0.8) for block in range(3) for name, cost in (("a", 1.0), ("b", 2.0))]
    records.append(record("a", 3, 1.0, 0.8, status="timeout"))
    records.append(record("b", 3, 2.0, 0.8))
    advice = said(aggregate([("run", "machine", records)]))
    assert (advice.state, advice.take, advice.why) == ("none", "b", "the only strategy that finished")


def test_nothing_is_recommended_when_nothing_finished() -> None:
    records = [record("a", block, 1.0, 0.8, status="failed") for block in range(3)]
    advice = said(aggregate([("run", "machine", records)]))
    assert (advice.state, advice.take, advice.why) == ("none", "", "")


@pytest.mark.parametrize(
    ("auc", "state", "take"),
    [
        (0.60, "settled", "model"),  # better than the baseline by more than the margin
        (0.501, "settled", "rule"),  # no better by the margin: the baseline stays
    ],
)
def test_a_baseline_is_taken_only_if_nothing_is_better_by_the_margin(auc: float, state: str, take: str) -> None:
    info = task(baseline="rule")
    recommendation = found(cells(rule=(0.1, 0.5, 1), model=(1.0, auc, 1), slow=(2.0, auc, 1)), info)
    assert (recommendation.state, recommendation.take) == (state, take)


def test_a_baseline_that_chance_alone_put_first_is_not_recommended() -> None:
    values = {"rule": (0.84, 0.80, 0.83), "model": (0.80, 0.83, 0.82)}
    records = [record(name, block, 1.0, auc) for name, row in values.items() for block, auc in enumerate(row)]
    info = task(baseline="rule")
    recommendation = found(aggregate([("run", "machine", records)]), info)
    assert (recommendation.state, recommendation.take, recommendation.rivals) == ("open", "model", ("rule",))


def test_the_next_best_strategy_keeps_the_answer_open_though_it_is_dearer() -> None:
    quality = {"best": (0.80, 0.81, 0.82), "maybe": (0.84, 0.78, 0.80), "equal": (0.8001, 0.8101, 0.8199)}
    costs = {"best": 1.0, "maybe": 9.0, "equal": 9.0}
    records = [
        record(name, block, costs[name] + block / 1000, auc)
        for name, row in quality.items()
        for block, auc in enumerate(row)
    ]
    recommendation = found(aggregate([("run", "machine", records)]))
    assert (recommendation.take, recommendation.rivals) == ("best", ("maybe",))


def tied(blocks: int = 3) -> list[CellAggregate]:
    """Plant two strategies of equal quality whose costs differ by chance, and one that is worse."""
    return aggregate(
        [
            (
                "run",
                "machine",
                [
                    record(name, block, 1.0 + 0.2 * ((block + place) % 3), auc + block / 1000 + place * block / 1e5)
                    for block in range(blocks)
                    for place, (name, auc) in enumerate({"a": 0.8, "b": 0.801, "poor": 0.5}.items())
                ],
            )
        ]
    )


def test_equal_quality_and_no_cheaper_one_is_a_tie() -> None:
    recommendation = found(tied())
    assert (recommendation.state, recommendation.take, recommendation.ties) == ("tied", "a", ("b",))
    assert (recommendation.rivals, recommendation.perhaps) == ((), ())
    advice = said(tied())
    assert advice.why == (
        "equal AUC (0.8010, within 0.01), and no difference in CPU time is shown (1.00x [0.48, 2.06])"
    )
    assert (advice.state, advice.take, advice.as_good, advice.open) == ("tied", "a or b", "", "")


def test_a_tie_does_not_deny_a_difference_that_its_own_interval_shows() -> None:
    """Of the log-ratios 0.10, 0.15 and 0.20 the interval is [0.03, 0.27] at 95 %, and at a first look it holds 0."""
    records = [
        record(name, block, math.exp(log), 0.8 + block / 1000 + at * block / 1e5)
        for block, logs in enumerate([(0.0, 0.10), (0.0, 0.15), (0.0, 0.20)])
        for at, (name, log) in enumerate(zip("ab", logs, strict=True))
    ]
    advice = said(aggregate([("run", "machine", records)]))
    assert advice.state == "tied"
    assert advice.why.endswith("and the difference in CPU time is not settled (0.86x [0.76, 0.97])")


def test_a_tie_in_all_blocks_needs_no_margin() -> None:
    records = [
        record(name, block, 1.0 + 0.2 * ((block + at) % 3), 1.0) for block in range(3) for at, name in enumerate("ab")
    ]
    info = task(msgspec.structs.replace(AUC, margin=0.0))
    advice = said(aggregate([("run", "machine", records)]), info)
    assert advice.why.startswith("equal AUC (1.0000, in all 3 blocks), and no difference")


def test_a_tie_with_the_next_best_strategy_does_not_hide_a_baseline_that_may_be_better() -> None:
    values = {"a": (0.80, 0.81, 0.82), "b": (0.8001, 0.8101, 0.8199), "rule": (0.84, 0.78, 0.80)}
    records = [
        record(name, block, 1.0 + 0.2 * ((block + at) % 3), auc)
        for at, (name, row) in enumerate(values.items())
        for block, auc in enumerate(row)
    ]
    recommendation = found(aggregate([("run", "machine", records)]), task(baseline="rule"))
    assert (recommendation.state, recommendation.ties, recommendation.rivals) == ("open", ("b",), ("rule",))


def test_notes_and_disturbed_trials_are_said() -> None:
    note = StrategyCard("t/task", "hist", note="Trains twice as long.")
    info = task(notes=[note])
    planted = cells(exact=(6.0, 0.80, 50), hist=(1.0, 0.80, 100))
    planted[0].entries["hist"].contaminated = {0, 1, 2}
    assert said(planted, info).remarks == (
        "hist: Trains twice as long.",
        "3 of its 4 trials were disturbed by other work",
    )


def test_cells_where_most_were_measured_decide() -> None:
    """A sweep of one strategy alone, in blocks and sizes of its own, neither decides nor stands in the way."""
    records = [record(name, block, cost, 0.8) for block in range(3) for name, cost in (("a", 1.0), ("b", 2.0))]
    records += [record("b", block, 0.1, 0.9, scenario="noisy") for block in range(3)]
    records += [record("b", 7, 2.0, 0.8)]
    assert found(aggregate([("run", "machine", records)])).take == "a"


def test_large_ratios_are_written_out() -> None:
    advice = said(cells(slow=(4870.0, 0.80, 50), quick=(1.0, 0.80, 50)))
    assert advice.why == "4,870x less CPU than slow [4,870, 4,870] at equal AUC (0.8016)"


def test_what_may_be_as_good_beside_the_next_best_is_named_and_keeps_nothing_open() -> None:
    quality = {"best": (0.80, 0.81, 0.82), "next": (0.7999, 0.8101, 0.8199), "wild": (0.60, 0.83, 0.75)}
    costs = {"best": 1.0, "next": 2.0, "wild": 3.0}
    records = [
        record(name, block, costs[name] + block / 1000, auc)
        for name, row in quality.items()
        for block, auc in enumerate(row)
    ]
    planted = aggregate([("run", "machine", records)])
    recommendation = found(planted)
    assert (recommendation.state, recommendation.next_best, recommendation.perhaps) == ("settled", "next", ("wild",))
    assert said(planted).as_good.endswith("; perhaps as good: wild")
