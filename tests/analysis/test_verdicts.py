"""Better, worse or tied against a reference: planted effects, noise floors and families."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.analysis.aggregates import CellAggregate, RunBlock, StrategyAggregate, aggregate
from harness.analysis.verdicts import Compared, compare, noise_floor
from harness.records import Phase, Record, Seeds, Trial
from harness.stats.paired import paired_ratio


def cell(**columns: list[float]) -> CellAggregate:
    records = [
        Record(
            Trial("t", "task", name, "data", "clean", {}, {}, block, Seeds(block, 1, 2)),
            "ok",
            phases={"fit": Phase([value], [value])},
            metrics={"auc": value},
        )
        for name, values in columns.items()
        for block, value in enumerate(values)
    ]
    (aggregates,) = aggregate([("run", "machine", records)])
    return aggregates


BASE = [1.0, 1.1, 0.9, 1.05, 0.95]
CELL = cell(
    base=BASE,
    dear=[1.50, 1.66, 1.34, 1.57, 1.43],
    cheap=[0.50, 0.56, 0.44, 0.53, 0.47],
    same=[1.01, 1.09, 0.91, 1.04, 0.96],
)


def words(name: str, better: str = "lower", noise_sd: float | None = None) -> dict[str, str]:
    found = compare([CELL], list(CELL.entries), "base", {name: better}, noise_sd=noise_sd)  # type: ignore[dict-item]
    return {label: comparison.word for label, comparison in found[name].items()}


def test_planted_effects_are_found_from_the_strategys_side() -> None:
    assert words("cpu_s") == {"base": "reference", "dear": "worse", "cheap": "better", "same": "tied"}
    assert words("auc", "higher") == {"base": "reference", "dear": "better", "cheap": "worse", "same": "tied"}


def test_an_effect_under_the_noise_floor_is_no_effect() -> None:
    """At 5 blocks a deviation of 0.4 hides ratios up to exp(0.497) = 1.64; metrics do not depend on it."""
    assert words("cpu_s", noise_sd=0.4) == {"base": "reference", "dear": "tied", "cheap": "better", "same": "tied"}
    assert words("auc", "higher", noise_sd=0.4) == words("auc", "higher")


def memory_verdict(megabytes: float, noise_sd: float | None = None, growth: float = 1.1) -> Compared:
    units = [RunBlock("run", block, block) for block in range(5)]
    sizes = np.array([1.0, 1.01, 0.99, 1.005, 0.995]) * megabytes * 1e6
    entries = {
        "base": StrategyAggregate("base", {}, {"peak_bytes": sizes}),
        "big": StrategyAggregate("big", {}, {"peak_bytes": sizes * growth * [1.0, 1.001, 0.999, 1.0, 1.0]}),
    }
    large = CellAggregate("machine", CELL.cell, units, entries)
    return compare([large], ["base", "big"], "base", {"peak_bytes": "lower"}, noise_sd=noise_sd)["peak_bytes"]["big"]


def test_noise_of_times_says_nothing_of_memory() -> None:
    assert memory_verdict(1, noise_sd=0.4).word == "worse"


def test_memory_below_what_can_be_measured_is_not_compared() -> None:
    assert memory_verdict(0.1).word == "worse"
    small = memory_verdict(0.099)
    assert (small.effect, small.word) == (None, "unknown")


def test_noise_floor_is_the_half_width_of_equal_trials() -> None:
    """t of 4 degrees of freedom 2.776445, over the root of 5 blocks."""
    assert noise_floor(0.1, 5) == pytest.approx(0.1 * 2.776445 / math.sqrt(5), rel=1e-6)
    assert noise_floor(0.1, 1) == math.inf


def test_one_block_and_no_block_are_unknown() -> None:
    found = compare([cell(a=[1.0], b=[2.0])], ["a", "b", "c"], "a", {"cpu_s": "lower"})["cpu_s"]
    assert (found["b"].word, found["c"].word) == ("unknown", "unknown")
    assert found["b"].effect is not None
    assert found["b"].effect.estimate == pytest.approx(2.0)
    assert found["c"].effect is None


def test_memory_has_a_floor_of_one_per_cent_of_its_own() -> None:
    assert memory_verdict(1, growth=1.009).word == "tied"
    assert memory_verdict(1, growth=1.012).word == "worse"


def test_strategies_and_measures_are_one_family() -> None:
    """One p of about 0.03 counts alone, and not among ten, whether of other strategies or of other measures."""
    rng = np.random.default_rng(5)
    logs = np.array([0.1, 0.02, 0.16, 0.05, 0.01]) + 0.03
    alone = paired_ratio(np.exp(logs).tolist(), [1.0] * 5)
    assert alone.excludes(1.0)
    entries = {
        "base": StrategyAggregate("base", {}, {"cpu_s": np.ones(5)}),
        "real": StrategyAggregate("real", {}, {"cpu_s": np.exp(logs)}),
    }
    noise = {f"null-{i}": StrategyAggregate("null", {}, {"cpu_s": np.exp(rng.normal(0, 0.1, 5))}) for i in range(9)}
    units = [RunBlock("run", block, block) for block in range(5)]
    few = CellAggregate("machine", CELL.cell, units, entries)
    many = CellAggregate("machine", CELL.cell, units, entries | noise)
    assert compare([few], list(few.entries), "base", {"cpu_s": "lower"})["cpu_s"]["real"].word == "worse"
    assert compare([many], list(many.entries), "base", {"cpu_s": "lower"})["cpu_s"]["real"].word == "tied"
    metrics = {f"metric_{i}": rng.normal(0, 0.1, 5) for i in range(9)}
    for label, entry in few.entries.items():
        entry.values.update(metrics if label == "real" else dict.fromkeys(metrics, np.zeros(5)))
    measures = {"cpu_s": "lower", **dict.fromkeys(metrics, "lower")}
    found = compare([few], list(few.entries), "base", measures)  # type: ignore[arg-type]
    assert found["cpu_s"]["real"].word == "tied"


def test_blocks_that_are_all_equal_are_a_tie_and_equal_differences_are_not_judged() -> None:
    own = cell(base=BASE, equal=BASE, twice=[2 * value for value in BASE])
    for name, word in (("auc", "worse"), ("cpu_s", "unknown")):
        found = compare([own], ["base", "equal", "twice"], "base", {name: "lower"})[name]
        assert (found["equal"].word, math.isnan(found["equal"].p)) == ("tied", True)
        assert found["twice"].word == word
