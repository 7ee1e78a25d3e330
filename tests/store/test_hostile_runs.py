"""Runs from strangers: what cannot be is refused with its line, and a run counts once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import inputs
from harness.errors import UsageError
from harness.measure.machine import Machine
from harness.store.load import tables
from harness.store.read import encode, read, read_all
from harness.store.runs import create, find, runs

Make = Callable[..., Any]

HEADERS: dict[str, dict[str, Any]] = {
    "a path as id": {"run": "../../../victim/config"},
    "a path as parent": {"parent": "../../config"},
    "a path as session": {"session": "../../config"},
    "a digest of two lines": {"modules": {"one": "1\n2"}},
    "no date": {"started": "yesterday"},
    "a day that is none": {"started": "2026-02-30T00:00:00+00:00"},
    "a date without its offset": {"started": "2026-02-20T00:00:00"},
    "a date at the end of time": {"started": "9999-12-31T23:59:59-23:59"},
    "a path as machine": {"machine": {"name": "../box"}},
    "a long machine": {"machine": {"name": "a" * 100_000}},
    "a path as commit": {"environment": {"commit": "../../config"}},
    "a package of two lines": {"environment": {"packages": {"numpy": "1\n2"}}},
    "a package of a long name": {"environment": {"packages": {"n" * 1000: "1"}}},
    "a negative number of trials": {"trials": -1},
    "a negative margin": {"metrics": [{"task": "t/t", "name": "auc", "direction": "lower", "unit": "1", "margin": -1}]},
    "a metric of markup": {"metrics": [{"task": "t/t", "name": "[/]", "direction": "lower", "unit": "1"}]},
    "a strategy of markup": {"strategies": [{"task": "t/t", "name": "[/]"}]},
    "a task without topic": {"tasks": [{"name": "binary"}]},
    "a version that is none": {"schema": "1.\N{SUPERSCRIPT TWO}"},
}

RECORDS: dict[str, dict[str, Any]] = {
    "a negative time": {"phases": {"fit": {"wall_s": [-1.0], "cpu_s": [1.0]}}},
    "more of one time": {"phases": {"fit": {"wall_s": [1.0, 2.0], "cpu_s": [1.0]}}},
    "a time that no clock shows": {"phases": {"fit": {"wall_s": [5e-324], "cpu_s": [1.0]}}},
    "a share above 1": {"metrics": {"auc": 1.5}, "n": {"auc": 10}},
    "a metric whose square is infinite": {"metrics": {"auc": 1e200}},
    "a negative peak": {"phases": {"fit": {"wall_s": [1.0], "cpu_s": [1.0], "peak_bytes": -1}}},
    "no calls": {"phases": {"fit": {"wall_s": [1.0], "cpu_s": [1.0], "calls": 0}}},
    "a curve of unequal lists": {"curves": {"loss": {"x": [1.0, 2.0], "y": [1.0]}}},
    "a band of unequal lists": {"curves": {"loss": {"x": [1.0], "y": [1.0], "low": [1.0, 2.0], "high": [1.0]}}},
    "a negative number of cases": {"n": {"auc": -1}},
    "a negative duration": {"elapsed_s": -1},
    "a metric with a dot": {"metrics": {"fit.wall_s": 1.0}},
    "a metric of a long name": {"metrics": {"a" * 1000: 1.0}},
    "a seed beyond 64 bits": {"trial": {"seeds": {"data": 2**64, "model": 1, "order": 1}}},
    "a negative block": {"trial": {"block": -1}},
    "a parameter beyond 64 bits": {"trial": {"params": {"rows": 2**63}}},
    "a strategy of markup": {"trial": {"strategy": "[/]"}},
    "a strategy of a long name": {"trial": {"strategy": "a" * 100_000}},
    "a data set as path": {"trial": {"dataset": "../flights"}},
    "a scenario of control characters": {"trial": {"scenario": "\x1b[2J"}},
}


def changed(line: bytes, changes: dict[str, Any]) -> bytes:
    """Change values of a line of JSON; mappings are merged one level deep."""
    value = json.loads(line)
    for key, new in changes.items():
        value[key] = {**value.get(key, {}), **new} if isinstance(new, dict) else new
    return json.dumps(value).encode() + b"\n"


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, make_header: Make, case: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(changed(encode(make_header()), HEADERS[case]))
    with pytest.raises(UsageError, match=rf"^{path}(, line 1 is damaged| is not a run of bakeoff).*\(.*\)") as caught:
        read(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("case", RECORDS)
def test_a_record_that_cannot_be_is_refused(tmp_path: Path, make_header: Make, make_record: Make, case: str) -> None:
    path, lines = tmp_path / "run.jsonl", [encode(make_header()), encode(make_record(0))]
    path.write_bytes(b"".join(lines))
    assert len(read(path)[1]) == 1
    path.write_bytes(b"".join([*lines, changed(encode(make_record(1)), RECORDS[case])]))
    with pytest.raises(UsageError, match=rf"^{path}, line 3 is damaged \(.*\): restore") as caught:
        read(path)
    assert len(str(caught.value)) < 500


def test_a_line_nested_too_deep_is_damaged(tmp_path: Path, make_header: Make) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(encode(make_header()) + b'{"later": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")
    with pytest.raises(UsageError, match=r"line 2 is damaged \(maximum recursion depth"):
        read(path)


def test_a_line_without_end_is_damaged(tmp_path: Path, make_header: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path, header = tmp_path / "run.jsonl", encode(make_header())
    monkeypatch.setattr(inputs, "MOST_BYTES", len(header) + 1)
    path.write_bytes(header + b"0" * (len(header) + 10))
    with pytest.raises(UsageError, match=r"line 2 is damaged \(it has more than"):
        read(path)


@pytest.fixture
def results(tmp_path: Path, make_header: Make, make_record: Make) -> Path:
    with create(tmp_path / "results", make_header()) as run:
        run.write(make_record(0), make_record(1))
    return tmp_path / "results"


def test_a_run_counts_once_under_two_names(results: Path) -> None:
    (path,) = runs(results)
    (results / "linked").symlink_to(results / "box")
    (results / "box" / path.name.replace("20261123", "20261124")).hardlink_to(path)
    assert runs(results) == [path]
    assert len(tables(results, path, results / "linked" / path.name).trials) == 2


def test_runs_of_several_machines_are_in_the_order_of_their_time(tmp_path: Path, make_header: Make) -> None:
    for day, machine in enumerate(("cart", "box", "attic"), start=1):
        create(
            tmp_path, make_header(run=f"{day}" * 6, started=f"2026-01-0{day}T00:00:00Z", machine=Machine(machine))
        ).close()
    assert tables(tmp_path).runs["machine"].tolist() == ["cart", "box", "attic"]


def test_copies_of_a_run_count_once_and_the_fullest_is_read(results: Path, make_record: Make) -> None:
    (path,) = runs(results)
    older = results / "box" / path.name.replace("20261123", "20261122")
    older.write_bytes(path.read_bytes()[: -len(encode(make_record(1)))])
    newer = results / "box" / path.name.replace("20261123", "20261124")
    newer.write_bytes(path.read_bytes() + encode(make_record(2)))
    (results / "backup").mkdir()
    (results / "backup" / path.name).write_bytes(path.read_bytes())
    frames = tables(results)
    assert frames.trials["block"].tolist() == [0, 1, 2]
    assert frames.runs["recorded"].tolist() == [3]
    ((_, records),) = read_all([path, path])
    assert len(records) == 2


def test_runs_of_one_second_are_in_the_order_in_which_they_were_written(tmp_path: Path, make_header: Make) -> None:
    made = {}
    for seconds, run in enumerate(("ffffff", "aaaaaa", "cccccc")):
        with create(tmp_path, make_header(run=run)) as opened:
            made[run] = opened.path
        os.utime(opened.path, (seconds, seconds))
    assert runs(tmp_path) == list(made.values())
    assert find(tmp_path, "latest") == [made["cccccc"]]


def test_a_start_that_failed_is_not_the_latest_run(results: Path, make_header: Make, make_record: Make) -> None:
    (complete,) = runs(results)
    with create(results, make_header(run="ffffff", started="2026-11-24T00:00:00+00:00")) as empty:
        assert find(results, "latest") == [empty.path]  # it is being written
    assert find(results, "latest") == [complete]
    assert find(results, "ffffff") == [empty.path]
    complete.unlink()
    assert find(results, "latest") == [empty.path]


def test_a_folder_that_cannot_be_listed_is_not_empty(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(path: Path) -> None:  # root may list every folder, so that chmod would show nothing
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuses)
    with pytest.raises(UsageError, match=rf"^cannot list the runs in {results}: Permission denied$"):
        find(results, "latest")


SET = """
import sys
from pathlib import Path
from harness.store.named_runs import set_baseline
sys.stdin.read()
set_baseline(Path(sys.argv[1]), sys.argv[2], {"box": ["aaaaaa"]})
"""


def test_ten_processes_set_ten_baselines(tmp_path: Path) -> None:
    names = [f"release-{number}" for number in range(10)]
    processes = [
        subprocess.Popen([sys.executable, "-P", "-c", SET, tmp_path, name], stdin=subprocess.PIPE) for name in names
    ]
    for process in processes:  # all have imported, or soon will have
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 10
    assert sorted(json.loads((tmp_path / "baselines.json").read_text())) == names
