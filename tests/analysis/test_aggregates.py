"""Who stands where: values by unit, and effects over one cell and several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.analysis import wording
from harness.analysis.aggregates import CURVES, CellAggregate, aggregate, effect, fullest, in_order, reference_among
from harness.declare.values import Work
from harness.records import Curve, Phase, Record, Scalar, Seeds, Trial, Try
from harness.stats.paired import paired_difference, paired_ratio
from harness.stats.rates import exact


def record(strategy: str, block: int, cost: float, auc: float = 0.5, **changes: Any) -> Record:
    place: dict[str, Any] = {
        "dataset": "data",
        "scenario": "clean",
        "params": {"rows": 10},
        "options": {},
        "seed": block,
    }
    place |= {name: changes.pop(name) for name in list(changes) if name in place}
    trial = Trial(
        topic="t",
        task="task",
        strategy=strategy,
        dataset=place["dataset"],
        scenario=place["scenario"],
        params=place["params"],
        options=place["options"],
        block=block,
        seeds=Seeds(data=place["seed"], model=1, order=2),
    )
    fields = {"status": "ok", "phases": {"fit": Phase([cost], [cost])}, "metrics": {"auc": auc}}
    return Record(trial, **(fields | changes))


def one(records: list[Record], run: str = "run") -> CellAggregate:
    (aggregates,) = aggregate([(run, "machine", records)])
    return aggregates


def test_effects_of_one_cell_are_the_paired_ones() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.lognormal(size=(2, 6))
    cell = one([record(name, i, side[i], side[i]) for i in range(6) for name, side in (("a", a), ("b", b))])
    for name, expected in (("cpu_s", paired_ratio(a, b)), ("auc", paired_difference(a, b))):
        found = effect([cell], "a", "b", name)
        assert found is not None
        assert (found.low, found.estimate, found.high) == pytest.approx(
            (expected.low, expected.estimate, expected.high)
        )
        assert found.blocks == 6


def test_several_cells_are_averaged_block_by_block() -> None:
    """Ratios 2 and 8 in every block: 4 by the geometric mean, and the same whatever the blocks' levels are."""
    records = [
        record(name, block, 10.0**block * factor, scenario=scenario)
        for scenario, ratio in (("clean", 2.0), ("noisy", 8.0))
        for block in range(3)
        for name, factor in (("a", ratio), ("b", 1.0))
    ]
    cells = aggregate([("run", "machine", records)])
    found = effect(cells, "a", "b", "cpu_s")
    assert found is not None
    assert found.estimate == pytest.approx(4.0)
    assert (found.known, found.same) == (False, True)
    assert found.blocks == 3


def test_a_block_that_one_cell_lacks_is_left_out_of_all() -> None:
    records = [
        record(name, block, 2.0 if name == "a" else 1.0, scenario=scenario)
        for scenario in ("clean", "noisy")
        for block in range(3)
        for name in ("a", "b")
        if (scenario, block, name) != ("noisy", 1, "a")
    ]
    found = effect(aggregate([("run", "machine", records)]), "a", "b", "cpu_s")
    assert found is not None
    assert found.blocks == 2


def test_cells_without_one_of_the_two_do_not_count() -> None:
    records = [record(name, 0, 2.0) for name in ("a", "b")] + [record("a", 0, 5.0, scenario="noisy")]
    found = effect(aggregate([("run", "machine", records)]), "a", "b", "cpu_s")
    assert found is not None
    assert found.estimate == 1.0
    assert effect(aggregate([("run", "machine", records)]), "a", "c", "cpu_s") is None


def test_blocks_of_two_runs_are_not_paired_across_them() -> None:
    first = ("one", "machine", [record("a", 0, 2.0), record("b", 0, 1.0)])
    second = ("two", "machine", [record("a", 0, 6.0), record("b", 1, 1.0)])
    (cell,) = aggregate([first, second])
    assert len(cell.units) == 3
    assert cell.differences("a", "b", "cpu_s") == {cell.units[0]: pytest.approx(math.log(2))}


def test_two_runs_on_the_same_data_are_one_piece_of_evidence_on_quality() -> None:
    runs = [
        (
            name,
            "machine",
            [r for block in range(2) for r in (record("a", block, 1.0, 0.6 + block / 10), record("b", block, 1.0))],
        )
        for name in ("one", "two")
    ]
    found = effect(aggregate(runs), "a", "b", "auc")
    assert found is not None
    assert found.blocks == 2
    assert found.estimate == pytest.approx(0.15)


def test_machines_are_kept_apart() -> None:
    cells = aggregate([("one", "big", [record("a", 0, 1.0)]), ("two", "small", [record("a", 0, 9.0)])])
    assert [(cell.machine, cell.entries["a"].median("cpu_s")) for cell in cells] == [("big", 1.0), ("small", 9.0)]


def test_what_failed_is_missing_and_counted() -> None:
    failed = record("a", 1, 5.0, status="failed", reason="it broke")
    cell = one([record("a", 0, 2.0), failed, record("b", 0, 1.0), record("b", 1, 1.0)])
    entry = cell.entries["a"]
    assert np.isnan(entry.values["cpu_s"]).tolist() == [False, True]
    assert entry.statuses == {"ok": 1, "failed": 1}
    assert entry.troubles == {("failed", "it broke"): 1}
    assert entry.median("cpu_s") == 2.0
    assert entry.median("nothing") is None


def test_a_cost_of_zero_gives_no_ratio() -> None:
    assert effect([one([record("a", 0, 0.0), record("b", 0, 1.0)])], "a", "b", "cpu_s") is None


def test_curves_of_the_first_blocks_are_kept() -> None:
    curves = [{"loss": Curve([0.0], [float(block)])} for block in range(CURVES + 2)]
    cell = one([record("a", block, 1.0, curves=curve) for block, curve in enumerate(curves)])
    assert [curve.y[0] for curve in cell.entries["a"].curves["loss"]] == list(range(CURVES))


def test_blocks_of_different_data_are_not_paired() -> None:
    cell = one([record("a", 0, 2.0), record("b", 0, 1.0, seed=99)])
    assert effect([cell], "a", "b", "cpu_s") is None


def test_another_run_of_the_cell_can_be_the_base() -> None:
    """Its blocks may come in another order, and may be others."""
    new = one([record("a", block, 6.0 * (1 + block)) for block in range(3)], run="")
    old = one([record("a", block, 2.0 * (1 + block)) for block in (2, 5, 0)], run="")
    found = new.differences("a", "a", "cpu_s", old)
    assert {unit.block: value for unit, value in found.items()} == pytest.approx({0: math.log(3), 2: math.log(3)})


def test_records_are_grouped_by_cell_and_label() -> None:
    found = aggregate(
        [
            (
                "run",
                "machine",
                [
                    record("a", 0, 1.0),
                    record("a", 1, 1.0),
                    record("a", 0, 1.0, options={"bins": 2}),
                    record("b", 0, 1.0),
                    record("a", 0, 1.0, scenario="noisy"),
                    record("a", 0, 1.0, params={"threads": 1, "rows": 10}),
                    record("a", 0, 1.0, params={"rows": 10, "threads": 2}),
                    record("b", 0, 1.0, params={"rows": 10, "threads": 1}),
                ],
            )
        ]
    )
    counts = {s.cell.title: {label: entry.statuses.total() for label, entry in s.entries.items()} for s in found}
    assert counts == {
        "t/task on data, clean (rows=10)": {"a": 2, "a[bins=2]": 1, "b": 1},
        "t/task on data, noisy (rows=10)": {"a": 1},
        "t/task on data, clean (rows=10 threads=1)": {"a": 1, "b": 1},
        "t/task on data, clean (rows=10 threads=2)": {"a": 1},
    }


def test_labels_are_in_the_order_of_declaration_and_of_their_numbers() -> None:
    options: list[dict[str, Any]] = [{"bins": 512}, {"bins": 64}, {}]
    cell = one([record("b", 0, 1.0, options=own) for own in options] + [record("a", 0, 1.0), record("z", 0, 1.0)])
    ordered = in_order(cell.entries, ["a", "b"])
    assert ordered == ["a", "b", "b[bins=64]", "b[bins=512]", "z"]
    assert reference_among(cell.entries, ordered, "b") == "b"
    without = {label: entry for label, entry in cell.entries.items() if label != "b"}
    assert reference_among(without, [label for label in ordered if label != "b"], "b") == "b[bins=64]"
    assert reference_among(cell.entries, ordered, "gone") == "a"


def test_fullest_covers_most_results() -> None:
    """Three cells of two strategies go over one cell of four, and over five cells of one."""
    sizes = {1: "ab", 2: "ab", 3: "abcd", 4: "a", 5: "a"}
    cells = aggregate(
        [("r", "m", [record(name, 0, 1.0, params={"rows": rows}) for rows, names in sizes.items() for name in names])]
    )
    chosen, labels = fullest(cells, lambda _cell, _label: True)
    assert [dict(cell.cell.params)["rows"] for cell in chosen] == [1, 2, 3]
    assert labels == ["a", "b"]
    assert fullest(cells, lambda _cell, label: label == "d")[1] == ["d"]
    assert fullest([], lambda _cell, _label: True) == ([], [])


def test_blocks_whose_training_sets_overlap_have_the_corrected_interval_of_metrics_only() -> None:
    """Four blocks with half a test row for each other row: the variance is (1/4 + 1/2) s^2 in place of s^2 / 4."""
    figures = {"a": [0.70, 0.72, 0.69, 0.73], "b": [0.68, 0.69, 0.68, 0.70]}

    def effects(overlap: float) -> tuple[float, float]:
        records = [
            record(name, block, own, own, overlap=overlap)
            for name, side in figures.items()
            for block, own in enumerate(side)
        ]
        auc, cost = (effect([one(records)], "a", "b", name) for name in ("auc", "cpu_s"))
        assert auc is not None
        assert cost is not None
        return auc.high - auc.low, cost.high - cost.low

    (usual, cost), (corrected, same) = effects(0.0), effects(0.5)
    assert corrected == pytest.approx(usual * math.sqrt(3))
    assert cost == same


def test_a_rate_has_the_exact_interval_of_its_cases() -> None:
    cell = one([record("a", block, 1.0, n={"auc": 40}) for block in range(3)])
    found = cell.rate("a", "auc")
    assert found is not None
    assert (found.low, found.high) == exact(60, 120)
    assert cell.rate("a", "cpu_s") is None


def test_a_difference_of_rates_is_not_known_better_than_to_one_case() -> None:
    """One of four blocks differs in one of 50 cases: their standard deviation is taken as one case."""
    records = [
        record(name, block, 1.0, 0.02 * (name == "a" and block == 0), n={"auc": 50})
        for name in "ab"
        for block in range(4)
    ]
    found = effect([one(records)], "a", "b", "auc")
    assert found is not None
    assert found.high == pytest.approx(0.005 + 3.182446 * 0.02 / 2)


def test_work_is_counted_by_what_the_data_had_and_else_by_the_parameters() -> None:
    work = {"fit": Work("row", of=("rows",))}
    (old,) = one([record("a", 0, 6.0)]).work_rates(work)
    assert (old.times, old.share(one([record("a", 0, 6.0)]).entries["a"], "cpu_s")) == (10, 0.6)
    cell = one([record("a", block, 6.0, work={"fit": rows}) for block, rows in enumerate((3.0, 4.0, 5.0))])
    (rate,) = cell.work_rates(work)
    assert (rate.times, rate.share(cell.entries["a"], "cpu_s")) == (4, 1.5)


def test_choices_of_tuning_are_counted() -> None:
    choices: list[dict[str, Scalar]] = [{"l2": 10.0, "bins": 4}, {}, {"bins": 4, "l2": 10.0}]
    tried = [record("a-tuned", block, 1.0, tries=[Try()], choice=choice) for block, choice in enumerate(choices)]
    entry = one([*tried, record("a", 0, 1.0)]).entries
    assert wording.chosen(entry["a-tuned"].choices) == "bins=4 l2=10.0 in 2 blocks, the defaults in 1 block"
    assert wording.chosen(entry["a"].choices) == ""
