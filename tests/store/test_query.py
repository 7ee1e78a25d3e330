from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.errors import UsageError
from harness.measure.machine import Environment
from harness.records import Phase
from harness.store.frames import Frames
from harness.store.load import Tables, query

Make = Callable[..., Any]


@pytest.fixture
def frames(make_header: Make, make_record: Make) -> Tables:
    draw = np.random.default_rng(7)
    made = Frames()
    for run in ("aaaaaa", "bbbbbb"):
        records = [
            make_record(block, strategy, phases={"fit": Phase(list(draw.random(3)), list(draw.random(3)))})
            for block in range(20)
            for strategy in ("hist", "exact")
        ]
        made.add(make_header(run=run), records)
    return Tables(made.trials(), made.samples(), made.runs())


def test_sql_agrees_with_pandas(frames: Tables) -> None:
    answer = query('SELECT label, median("fit.cpu_s") AS cpu FROM trials GROUP BY label ORDER BY label', frames)
    expected = frames.trials.groupby("label")["fit.cpu_s"].median()
    assert answer["label"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(answer["cpu"], expected, rtol=1e-15)


def test_the_three_tables_join(frames: Tables) -> None:
    answer = query(
        "SELECT run, strategy, max(wall_s) AS longest FROM samples JOIN trials USING (run, key) JOIN runs USING (run) "
        "WHERE recorded = 40 GROUP BY run, strategy ORDER BY run, strategy",
        frames,
    )
    merged = frames.samples.merge(frames.trials, on=["run", "key"])
    expected = merged.groupby(["run", "strategy"])["wall_s"].max().reset_index(name="longest")
    pd.testing.assert_frame_equal(answer, expected)


def test_an_error_of_sql_is_one_sentence(frames: Tables) -> None:
    with pytest.raises(UsageError) as caught:
        query("SELECT nothing FROM trials", frames)
    assert str(caught.value).startswith("the query failed: Binder Error: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("nothing", ["", " ", ";", "-- only a comment"])
def test_an_empty_query_is_one_sentence(frames: Tables, nothing: str) -> None:
    with pytest.raises(UsageError, match="the query returns nothing"):
        query(nothing, frames)


def test_sql_reaches_neither_files_nor_settings_nor_variables(frames: Tables, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nhidden\n")
    for sql in (
        f"SELECT * FROM '{secret}'",
        f"COPY trials TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'out.db'}'",
        "SET enable_external_access = true",
        'SELECT * FROM "table"',  # a variable of the function that runs the statement
        "DELETE FROM trials",
    ):
        with pytest.raises(UsageError, match="the query failed"):
            query(sql, frames)
    assert list(tmp_path.iterdir()) == [secret]


def test_without_duckdb_the_sentence_says_what_to_install(frames: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(
        UsageError, match=r"^bakeoff query needs duckdb \(in a checkout of Bakeoff: pip install '\.\[query\]'\)$"
    ):
        query("SELECT 1", frames)


def test_a_missing_truth_value_is_none(make_header: Make, make_record: Make) -> None:
    made = Frames()
    for run, environment in (("aaaaaa", Environment(dirty=True)), ("bbbbbb", Environment())):
        made.add(make_header(run=run, environment=environment), [make_record()])
    answer = query("SELECT dirty FROM runs ORDER BY run", Tables(made.trials(), made.samples(), made.runs()))
    assert answer["dirty"].tolist() == [True, None]
