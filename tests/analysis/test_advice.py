"""The recommended strategy, and the sentence that says why."""

from __future__ import annotations

import msgspec

from harness.analysis.advice import advise
from harness.analysis.aggregates import CellAggregate, aggregate
from harness.records import Phase, Record, Seeds, Status, Trial
from harness.store.header import JudgedMetric

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


def test_cheapest_of_those_as_good_as_the_best() -> None:
    found = advise(cells(exact=(6.0, 0.80, 50), hist=(1.0, 0.795, 100), constant=(0.1, 0.5, 1)), AUC, "hist")
    assert found is not None
    assert found.label == "hist"
    assert found.sentence == "hist: 6x less CPU than exact [6, 6], auc tied, 2x more memory [2, 2]"


def test_memory_too_small_to_be_measured_is_not_compared() -> None:
    found = advise(cells(exact=(6.0, 0.80, 0.05), hist=(1.0, 0.795, 100)), AUC, "hist")
    assert found is not None
    assert found.sentence == "hist: 6x less CPU than exact [6, 6], auc tied"


def test_better_quality_goes_over_cost_and_says_so() -> None:
    found = advise(cells(exact=(6.0, 0.9, 100), hist=(1.0, 0.8, 100)), AUC, "hist")
    assert found is not None
    assert found.sentence == (
        "exact: 6x more CPU than hist [6, 6], auc +0.0999 [+0.0998, +0.1001], memory tied; "
        "no other strategy is within 0.01 of its auc"
    )


def test_lower_is_better_where_the_metric_says_so() -> None:
    loss = JudgedMetric("t/task", "auc", "lower", "nat", margin=0.01)
    found = advise(cells(a=(1.0, 0.5, 1), b=(2.0, 0.3, 1), c=(3.0, 0.305, 1)), loss, "a")
    assert found is not None
    assert found.label == "b"


def test_one_block_gives_no_interval_and_still_a_choice() -> None:
    found = advise(cells(1, exact=(6.0, 0.80, 50), hist=(1.0, 0.795, 100)), AUC, "hist")
    assert found is not None
    assert found.sentence == (
        "hist: 6x less CPU than exact, auc \u22120.0050, 2x more memory; based on one block, so it may be chance"
    )


def test_a_ratio_that_rounds_to_one_is_called_equal() -> None:
    found = advise(cells(1, exact=(1.002, 0.80, 1002), hist=(1.0, 0.795, 1000)), AUC, "hist")
    assert found is not None
    assert found.sentence.startswith("hist: CPU equal to that of exact, auc \u22120.0050, memory equal; ")


def test_what_is_beyond_a_limit_is_left_out_unless_all_are() -> None:
    planted = cells(bold=(1.0, 0.9, 100), safe=(2.0, 0.5, 100))
    limit = msgspec.structs.replace(AUC, limit=0.7, direction="lower")
    found = advise(planted, AUC, "bold", [AUC, limit])
    assert found is not None
    assert found.sentence == (
        "safe: 2x more CPU than bold [2, 2], auc \u22120.3999 [\u22120.4001, \u22120.3998], memory tied; "
        "no other strategy is within 0.01 of its auc; 1 beyond auc 0.7 left out"
    )
    none = advise(planted, AUC, "bold", [msgspec.structs.replace(limit, limit=0.1)])
    assert none is not None
    assert none.label == "bold"
    assert none.sentence.endswith("; all are beyond auc 0.1")


def test_a_strategy_that_failed_once_is_not_recommended() -> None:
    records = [record(name, block, cost, 0.8) for block in range(3) for name, cost in (("a", 1.0), ("b", 2.0))]
    records.append(record("a", 3, 1.0, 0.8, status="timeout"))
    records.append(record("b", 3, 2.0, 0.8))
    found = advise(aggregate([("run", "machine", records)]), AUC, "a")
    assert found is not None
    assert found.sentence == "b: the only strategy that finished"


def test_nothing_is_recommended_when_nothing_finished() -> None:
    records = [record("a", block, 1.0, 0.8, status="failed") for block in range(3)]
    assert advise(aggregate([("run", "machine", records)]), AUC, "a") is None


def test_cells_where_most_were_measured_decide() -> None:
    """A sweep of one strategy alone, in blocks and sizes of its own, neither decides nor stands in the way."""
    records = [record(name, block, cost, 0.8) for block in range(3) for name, cost in (("a", 1.0), ("b", 2.0))]
    records += [record("b", block, 0.1, 0.9, scenario="noisy") for block in range(3)]
    records += [record("b", 7, 2.0, 0.8)]
    found = advise(aggregate([("run", "machine", records)]), AUC, "a")
    assert found is not None
    assert found.label == "a"
    assert found.sentence.startswith("a: 2x less CPU than b")


def test_one_that_failed_anywhere_is_out() -> None:
    records = [
        record(
            name, block, cost, 0.8, scenario=scenario, status="failed" if (name, scenario) == ("a", "noisy") else "ok"
        )
        for scenario in ("clean", "noisy")
        for block in range(3)
        for name, cost in (("a", 1.0), ("b", 2.0))
    ]
    found = advise(aggregate([("run", "machine", records)]), AUC, "a")
    assert found is not None
    assert found.label == "b"


def test_large_ratios_are_written_out() -> None:
    found = advise(cells(slow=(4870.0, 0.80, 50), quick=(1.0, 0.80, 50)), AUC, "slow")
    assert found is not None
    assert found.sentence == "quick: 4,870x less CPU than slow [4,870, 4,870], auc tied, memory tied"
