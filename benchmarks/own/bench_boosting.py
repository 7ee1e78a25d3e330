"""Facts about boosting that the documentation quotes: ratios within one run. Run with ``make facts``.

One thread, 50 trees, depth 8, five blocks on flights. The limits are those of the literature, not of one machine.
"""

from __future__ import annotations

import mmap

import pytest
from trials import run

from harness.analysis.aggregates import CellAggregate, aggregate, effect
from harness.execute.executor import Limits
from harness.plan.selection import Selection
from harness.records import Record, measure
from harness.stats.paired import Interval

STRATEGIES = ("xgboost-exact", "xgboost-hist", "xgboost-hist-quantile")
MEMORY = Limits(timeout_s=600, memory_bytes=10**10, memory_pass=True)


def _run(selection: Selection, limits: Limits) -> list[Record]:
    records = run(selection, limits)
    assert all(record.status == "ok" for record in records), [record.reason for record in records]
    return records


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Run the three strategies once for all facts."""
    selection = Selection(
        tasks=("boosting",),
        strategies=STRATEGIES,
        datasets=("flights",),
        scenarios=("clean",),
        profile="quick",
        blocks=5,
        values={"rows": (10_000, 100_000), "trees": (50,), "depth": (8,), "threads": (1,)},
    )
    return _run(selection, MEMORY)


def _at(records: list[Record], rows: int) -> list[CellAggregate]:
    return aggregate([("run", "machine", [record for record in records if record.trial.params["rows"] == rows])])


def _printed(name: str, effect: Interval | None) -> Interval:
    assert effect is not None
    print(f"\n{name}: {effect.estimate:.4g} [{effect.low:.4g}, {effect.high:.4g}], {effect.blocks} blocks")
    return effect


def test_exact_costs_three_times_hist_and_more_with_more_rows(records: list[Record]) -> None:
    """Chen & Guestrin 2016; LightGBM's experiments."""
    few, many = (
        _printed(
            f"CPU of fit, exact / hist, {rows:,} rows",
            effect(_at(records, rows), "xgboost-exact", "xgboost-hist", "fit.cpu_s"),
        )
        for rows in (10_000, 100_000)
    )
    assert many.low >= 3
    assert many.low > few.high


def test_hist_loses_no_auc(records: list[Record]) -> None:
    """Within 0.005 AUC of exact."""
    lost = _printed(
        "AUC, hist - exact, 100,000 rows",
        effect(_at(records, 100_000), "xgboost-hist", "xgboost-exact", "auc"),
    )
    assert lost.low >= -0.005
    assert lost.high <= 0.005


def test_quantile_matrix_saves_memory(records: list[Record]) -> None:
    """QuantileDMatrix lowers the growth of memory in training against DMatrix (XGBoost's documentation)."""
    saved = _printed(
        "peak memory, QuantileDMatrix / DMatrix, 100,000 rows",
        effect(_at(records, 100_000), "xgboost-hist-quantile", "xgboost-hist", "peak_bytes"),
    )
    assert saved.high < 1


@pytest.mark.parametrize(("rows", "trees", "share"), [(10_000, 50, 0.0025), (500_000, 5, 0.002)])
def test_memory_pass_is_repeatable(rows: int, trees: int, share: float) -> None:
    """The same trial needs the same memory: to eight pages, or 0.25 % of some MB, or 0.2 % from 50 MB on.

    Two peaks are read, each to the page; a stack and two arenas of the allocator may grow by a page or two between.
    """
    selection = Selection(
        tasks=("boosting",),
        strategies=("xgboost-hist", "lightgbm", "sklearn-hist", "logistic-regression"),
        datasets=("synthetic-tabular",),
        scenarios=("clean",),
        profile="quick",
        blocks=1,
        values={"rows": (rows,), "trees": (trees,)},
    )
    runs = [_run(selection, MEMORY) for _ in range(4)]
    for strategy in selection.strategies:
        peaks = [measure(record, "peak_bytes") for run in runs for record in run if record.trial.strategy == strategy]
        sizes = [peak for peak in peaks if peak is not None]
        apart = max(sizes) - min(sizes)
        pages = apart / mmap.PAGESIZE
        print(f"\npeak memory of {strategy}, {len(sizes)} runs: {min(sizes) / 1e6:.3f} MB, {pages:g} pages apart")
        assert len(sizes) == 4
        assert apart <= max(share * min(sizes), 8 * mmap.PAGESIZE)
