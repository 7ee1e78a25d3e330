"""Facts about boosting on a CUDA device: what the strategies there must show before their figures are believed.

Skipped without a device.
"""

from __future__ import annotations

import pytest
from trials import run

from harness.analysis.aggregates import aggregate, effect
from harness.execute.executor import Limits
from harness.measure.device import device_names
from harness.plan.selection import Selection
from harness.records import Record

ON_DEVICE = "xgboost-hist-gpu"
ON_CPU = "xgboost-hist"

pytestmark = pytest.mark.skipif(not device_names(), reason="no CUDA device")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Run XGBoost's histograms on both, and LightGBM's CUDA learner, which may be absent from its build."""
    selection = Selection(
        tasks=("boosting",),
        strategies=(ON_CPU, ON_DEVICE, "lightgbm-cuda"),
        datasets=("synthetic-tabular",),
        scenarios=("clean",),
        profile="quick",
        blocks=5,
        values={"rows": (1_000_000,), "columns": (20,), "trees": (50,), "depth": (8,), "threads": (1,)},
    )
    return run(selection, Limits(timeout_s=600, memory_bytes=10**10))


def test_trials_run_or_say_why_they_cannot(records: list[Record]) -> None:
    """XGBoost's ran; LightGBM's did, or its build has no CUDA."""
    ends = {(record.trial.strategy, record.status, record.reason) for record in records}
    print(f"\n{ends}")
    assert {end for end in ends if end[0] != "lightgbm-cuda"} == {(ON_CPU, "ok", ""), (ON_DEVICE, "ok", "")}
    lightgbm = {end[1:] for end in ends if end[0] == "lightgbm-cuda"}
    assert lightgbm in ({("ok", "")}, {("skipped", "this LightGBM is built without CUDA")})


def test_the_device_holds_the_data(records: list[Record]) -> None:
    """Its memory grows in fit by a byte for each of 20 million binned cells or more."""
    grown = [record.phases["fit"].device_bytes for record in records if record.trial.strategy == ON_DEVICE]
    print(f"\nmemory of the device in fit: {grown}")
    known = [figure for figure in grown if figure is not None]
    if not known:
        pytest.skip("NVML is not installed, or knows this process under another number, as in a container")
    assert min(known) >= 20_000_000


def test_the_device_learns_the_same_and_takes_less_wall_time(records: list[Record]) -> None:
    """Within 0.005 AUC of the CPU, and faster at 1,000,000 rows; the start of the device is part of the fit."""
    aggregates = aggregate([("run", "machine", records)])
    for figure in ("auc", "fit.wall_s"):
        found = effect(aggregates, ON_DEVICE, ON_CPU, figure)
        assert found is not None
        print(f"\n{figure}, device against CPU: {found.estimate:.4g} [{found.low:.4g}, {found.high:.4g}]")
        if figure == "auc":
            assert -0.005 <= found.low <= found.high <= 0.005
        else:
            assert found.high < 1
