"""Series over runs: their levels, and when a change of level comes to light."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from harness.analysis.aggregates import CellAggregate, RunBlock, StrategyAggregate
from harness.analysis.history import Track, by_run, follow
from harness.records import Cell
from harness.stats.paired import Interval

CELL = Cell("t", "task", "data", "clean", ())


def track(values: npt.ArrayLike, measure: str = "cpu_s") -> Track:
    points = {
        f"{index:03d}": Interval(float(value), math.nan, math.nan, 1) for index, value in enumerate(np.asarray(values))
    }
    return Track(CELL, "a", measure, "box", None, (), points)


def alarms(values: npt.NDArray[np.float64]) -> list[bool]:
    """Whether a change upwards is news, as the history grows run by run."""
    found = (track(values[:count]).new_change(3) for count in range(1, len(values) + 1))
    return [change is not None and change.after > change.before for change in found]


def noise(seed: int, length: int, sd: float = 0.02) -> npt.NDArray[np.float64]:
    return sd * np.random.default_rng(seed).normal(size=length)


@pytest.mark.parametrize("size", [0.05, 0.5])
def test_a_step_is_news_soon_and_then_no_more(size: float) -> None:
    """One of 2.5 times the noise, found late and placed far back, is news too."""
    found = np.array([alarms(np.exp(size * (np.arange(30) >= 15) + noise(seed, 30))) for seed in range(10)])
    assert found[:, 16:].any(axis=1).mean() >= 0.8
    assert np.mean(found[:, 26:]) <= (0.2 if size < 0.1 else 0.1)


def test_a_slow_drift_is_news() -> None:
    assert all(any(alarms(np.exp(0.01 * np.arange(30) + noise(seed, 30)))) for seed in range(10))


def test_noise_is_seldom_news() -> None:
    looks = [alarm for seed in range(40) for alarm in alarms(np.exp(noise(seed, 20)))]
    assert np.mean(looks) < 0.04


def test_levels_of_costs_are_geometric() -> None:
    (cost,) = track([1.0, 4.0, 1.0, 4.0, 1e6, 4e6, 1e6, 4e6]).changes
    assert (cost.before, cost.after) == pytest.approx((2.0, 2e6))
    (metric,) = track([0.1, 0.3, 0.1, 0.3, 10.1, 10.3, 10.1, 10.3], "auc").changes
    assert (metric.before, metric.after) == pytest.approx((0.2, 10.2))


def test_machines_and_editions_are_apart_and_runs_in_order() -> None:
    def standing(machine: str, *runs: str) -> CellAggregate:
        units = [RunBlock(run, block, block) for run in runs for block in range(2)]
        values = np.array([float(int(run)) * 4.0**block for run in runs for block in range(2)])
        return CellAggregate(machine, CELL, units, {"a": StrategyAggregate("a", {}, {"cpu_s": values})})

    started = {str(run): f"2026-01-{run:02d}" for run in range(1, 10)}
    (group,) = follow(
        [standing("box", "3", "1", "2", "7"), standing("other", "5", "4")],
        ["cpu_s", "auc"],
        started,
        lambda run, _: "new" if run == "7" else "old",
    )
    assert [(own.machine, own.edition, list(own.points)) for own in group] == [
        ("box", "old", ["1", "2", "3"]),
        ("box", "new", ["7"]),
        ("other", "old", ["4", "5"]),
    ]
    assert group[0].values == pytest.approx([2.0, 4.0, 6.0])  # geometric means over the blocks


def test_another_version_of_a_benchmark_is_another_series() -> None:
    runs = [str(run) for run in range(1, 9)]
    units = [RunBlock(run, 0, 0) for run in runs]
    values = {"cpu_s": np.array([0.01] * 4 + [0.1] * 4), "auc": np.full(8, 0.5)}
    cell = CellAggregate("box", CELL, units, {"a": StrategyAggregate("a", {}, values)})
    versions = {(run, "t/task", "a"): {"cpu_s": "v1" if run < "5" else "v2"} for run in runs}
    times, quality = follow([cell], ["cpu_s", "auc"], {run: run for run in runs}, versions=versions)
    assert [(own.version, list(own.points), own.changes) for own in times] == [
        ("v1", runs[:4], []),
        ("v2", runs[4:], []),
    ]
    assert [own.version for own in quality] == [""]


def test_what_is_not_positive_is_no_cost() -> None:
    entry = StrategyAggregate("a", {}, {"fit.peak_bytes": np.array([0.0, 4.0, math.nan])})
    units = [RunBlock("1", 0, 0), RunBlock("2", 0, 0), RunBlock("3", 0, 0)]
    ((own,),) = follow([CellAggregate("box", CELL, units, {"a": entry})], ["fit.peak_bytes"], dict.fromkeys("123", ""))
    assert list(own.points) == ["2"]


def test_a_point_is_the_mean_over_the_blocks_of_its_run_alone() -> None:
    """Runs of several blocks, in any order of their units, some of which were not measured."""
    rng = np.random.default_rng(0)
    units = [RunBlock(str(run), block, block) for block in range(4) for run in (2, 1, 3)]
    values = np.where(rng.random(12) < 0.2, math.nan, rng.random(12))
    cell = CellAggregate("box", CELL, units, {"a": StrategyAggregate("a", {}, {"auc": values})})
    points = by_run(cell, "a", "auc")
    for run in ("1", "2", "3"):
        own = values[[unit.run == run for unit in units]]
        assert points[run].estimate == pytest.approx(np.nanmean(own))
        assert points[run].blocks == np.isfinite(own).sum()
