"""Facts about boosting by several workers: ``pytest benchmarks/own/bench_distributed.py -s`` prints the figures.

Bytes and predictions do not depend on the load of the machine, so there are no times here. LightGBM's program is
needed for one of them: ``python -m harness.topics.boosting.engine.lightgbm_program`` builds it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config import Config
from harness.data.tabular import Split
from harness.declare import Problem
from harness.errors import CannotRunError
from harness.registry import load_registry
from harness.topics.boosting.distributed import CODED, Trained

TASK = load_registry(Config(folder=Path(__file__).parent)).topics["boosting"].tasks["distributed"]
ROWS, COLUMNS, BINS, TREES, DEPTH = 20_000, 300, 128, 10, 5

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="two workers need two cores, and there is one here"
)


class Once:
    """A phase that is not measured and not repeated."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Any:
        yield


@cache
def data() -> Split:
    params = {"rows": ROWS, "columns": COLUMNS, "bayes_error": 0.1, "distinct": BINS}
    return CODED.load(params, np.random.default_rng(0))  # type: ignore[no-any-return]


@cache
def trained(name: str, workers: int | None = None, top_k: int | None = None) -> Trained:
    given: Mapping[str, int | None] = {"workers": workers, "top_k": top_k}
    params = {"rows": ROWS, "trees": TREES, "depth": DEPTH, "learning_rate": 0.1, "threads": 2}
    try:
        output = TASK.strategies[name].run(
            Problem(TASK.view(data()), params, 0),
            lambda _name: Once(),
            **{option: value for option, value in given.items() if value is not None},
        )
    except CannotRunError as error:
        pytest.skip(str(error))
    assert isinstance(output, Trained)
    return output


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("xgboost-hist-data", "xgboost-hist"),
        ("xgboost-approx-data", "xgboost-approx"),
        ("xgboost-hist-feature", "xgboost-hist"),
        ("lightgbm-data", "lightgbm"),
        ("lightgbm-feature", "lightgbm"),
    ],
)
def test_predictions_are_those_of_one_process_where_every_value_has_a_bin(name: str, one: str) -> None:
    largest = float(np.abs(trained(name).scores - trained(one).scores).max())
    print(f"\n{name}: largest difference of a probability {largest:.2g}")
    assert largest < 1e-6


def test_traffic_of_data_parallel_lightgbm_is_its_histograms() -> None:
    """Two workers send each histogram once in all, 16 bytes a bin: a root's, and one child's of each inner split."""
    expected = TREES * 2 ** (DEPTH - 1) * COLUMNS * BINS * 16
    sent = trained("lightgbm-data").bytes_sent
    print(f"\nlightgbm-data: {sent / 1e6:.1f} MB, {sent / expected:.3f} of the histograms")
    assert sent == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("top_k", [5, 20])
def test_traffic_of_voting_is_its_share_of_columns(top_k: int) -> None:
    """Voting exchanges `top_k` columns of both children, data-parallel all columns of one."""
    share = trained("lightgbm-voting", top_k=top_k).bytes_sent / trained("lightgbm-data").bytes_sent
    print(f"\nlightgbm-voting[top_k={top_k}]: {share:.4f} of data-parallel, 2k/columns is {2 * top_k / COLUMNS:.4f}")
    assert share == pytest.approx(2 * top_k / COLUMNS, rel=0.5)


def test_one_worker_sends_nothing_to_others() -> None:
    sent = trained("lightgbm-data", workers=1).bytes_sent
    print(f"\nlightgbm-data[workers=1]: {sent} bytes")
    assert sent == 0
