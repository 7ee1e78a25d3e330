from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.records import Conditions, Phase, Record
from harness.store.frames import Frames
from harness.store.header import SCHEMA
from harness.store.load import load, samples, tables
from harness.store.runs import create

Make = Callable[..., Any]


@pytest.fixture
def results(tmp_path: Path, make_header: Make, make_record: Make) -> Path:
    with create(tmp_path, make_header()) as run:
        run.write(make_record(0))
        run.write(
            make_record(
                0,
                "exact",
                phases={
                    "fit": Phase(wall_s=[8.0, 2.0], cpu_s=[1.0, 1.0], device_bytes=7),
                    "predict": Phase(wall_s=[0.5], cpu_s=[0.25]),
                },
                metrics={"auc": 0.5, "rows": 3.0},
                conditions=Conditions(load=0.0, stolen=0.06, foreign=0.0),
            )
        )
    with create(tmp_path, make_header(run="d4e5f6", started="2026-11-24T00:00:00+00:00")) as run:
        run.write(make_record(1, status="skipped", reason="no GPU", phases={}, metrics={}, conditions=None))
    return tmp_path


def test_a_row_a_trial(results: Path, make_record: Make) -> None:
    frame = load(results)
    nan = np.nan
    expected = pd.DataFrame(
        {
            "run": ["a1b2c3", "a1b2c3", "d4e5f6"],
            "machine": ["box"] * 3,
            "started": ["2026-11-23T02:15:00+00:00"] * 2 + ["2026-11-24T00:00:00+00:00"],
            "key": [make_record(0).trial.key, make_record(0, "exact").trial.key, make_record(1).trial.key],
            "topic": ["boosting"] * 3,
            "task": ["binary"] * 3,
            "strategy": ["hist", "exact", "hist"],
            "label": ["hist[max_bin=64]", "exact", "hist[max_bin=64]"],
            "dataset": ["flights"] * 3,
            "scenario": ["clean"] * 3,
            "block": [0, 0, 1],
            "status": ["ok", "ok", "skipped"],
            "reason": ["", "", "no GPU"],
            "memory_source": [None] * 3,
            "elapsed_s": [9.5] * 3,
            "seed.data": [1] * 3,
            "seed.model": [2] * 3,
            "seed.order": [3] * 3,
            "contaminated": [False, True, False],
            "rows": [1000] * 3,
            "threads": [2] * 3,
            "max_bin": [64, nan, 64],
            "fit.wall_s": [2.5, 5.0, nan],
            "fit.cpu_s": [5.0, 1.0, nan],
            "fit.peak_bytes": [1024, nan, nan],
            "fit.held_bytes": [16, 0, nan],
            "fit.device_bytes": [nan, 7, nan],
            "predict.wall_s": [nan, 0.5, nan],
            "predict.cpu_s": [nan, 0.25, nan],
            "predict.peak_bytes": [nan] * 3,
            "predict.held_bytes": [nan, 0, nan],
            "predict.device_bytes": [nan] * 3,
            "auc": [0.75, 0.5, nan],
            "metric.rows": [nan, 3, nan],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_a_row_a_sample(results: Path, make_record: Make) -> None:
    hist, exact = make_record(0).trial.key, make_record(0, "exact").trial.key
    expected = pd.DataFrame(
        {
            "run": ["a1b2c3"] * 6,
            "key": [hist] * 3 + [exact] * 3,
            "phase": ["fit"] * 5 + ["predict"],
            "sample": [0, 1, 2, 0, 1, 0],
            "wall_s": [3.0, 1.0, 2.5, 8.0, 2.0, 0.5],
            "cpu_s": [4.0, 6.0, 5.0, 1.0, 1.0, 0.25],
        }
    )
    pd.testing.assert_frame_equal(samples(results), expected)


def test_a_row_a_run(results: Path) -> None:
    frame = tables(results).runs
    assert list(frame.columns) == [
        *[
            "run",
            "machine",
            "started",
            "schema",
            "commit",
            "dirty",
            "command",
            "plan",
            "parent",
            "session",
            "planned",
            "recorded",
        ]
    ]
    assert frame["recorded"].tolist() == [2, 1]
    assert frame.iloc[0].tolist() == [
        *["a1b2c3", "box", "2026-11-23T02:15:00+00:00", SCHEMA, "0123456789abcdef", False],
        *["bakeoff run boosting", "feed", "", "", 4, 2],
    ]


def test_a_file_given_twice_counts_once(results: Path) -> None:
    first = min(results.glob("box/*.jsonl"))
    assert len(load(str(first))) == 2
    assert len(load(first, results / "box", results)) == 3


def test_an_empty_folder_gives_empty_frames_with_their_columns(results: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    full, empty = tables(results), tables(tmp_path / "empty")
    assert [len(frame) for frame in empty] == [0, 0, 0]
    assert list(empty.trials.columns) == list(full.trials.columns)[:19]
    assert list(empty.samples.columns) == list(full.samples.columns)
    assert list(empty.runs.columns) == list(full.runs.columns)


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run or results folder"):
        load(tmp_path / "nowhere")


def test_values_of_mixed_type_stay_as_they_are(make_header: Make, make_record: Make) -> None:
    frames = Frames()
    trial = make_record().trial
    several: list[dict[str, Any]] = [{"depth": 3}, {"depth": "deep"}, {"depth": True}, {}]
    frames.add(make_header(), [Record(msgspec.structs.replace(trial, params=params), "ok") for params in several])
    depth = frames.trials()["depth"]
    assert depth.tolist()[:3] == [3, "deep", True]
    assert depth.isna().tolist() == [False, False, False, True]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(st.floats(0, 1e9), max_size=6), min_size=1, max_size=8))
def test_medians_are_those_of_the_standard_library(
    make_header: Make, make_record: Make, rows: list[list[float]]
) -> None:
    frames = Frames()
    frames.add(make_header(), [make_record(phases={"fit": Phase(row, row)}) for row in rows])
    expected = [statistics.median(row) if row else np.nan for row in rows]
    np.testing.assert_allclose(frames.trials()["fit.wall_s"], expected, rtol=1e-15)


def test_a_trial_that_diverged_has_no_times(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    with create(tmp_path, make_header()) as run:
        run.write(make_record(0))
        run.write(make_record(1, metrics={"auc": 0.5, "diverged": 1.0}, diverged=3.0))
    frame = load(tmp_path)
    np.testing.assert_array_equal(frame["fit.cpu_s"], [5.0, np.nan])
    np.testing.assert_array_equal(frame["diverged"], [np.nan, 1.0])
    assert samples(tmp_path)["key"].nunique() == 1
