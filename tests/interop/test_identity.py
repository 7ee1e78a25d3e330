"""An identity depends on the case alone: what else is in a file changes no name, in the gate neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interop.files import benchmark, saved

from harness.config import GatePolicy
from harness.gate.decision import Decision
from harness.gate.stored.gate import decide
from harness.interop.pytest_benchmark.imports import import_pytest_benchmark
from harness.store.read import read

Case = tuple[str, float, dict[str, Any]]


def side(folder: Path, name: str, *cases: Case) -> list[Path]:
    """Import four files of the same cases, a day apart."""
    made = []
    for day in range(1, 5):
        own = [benchmark(test, [s + day * 1e-6] * 5, **fields) for test, s, fields in cases]
        file = saved(folder / f"{name}{day}.json", *own, datetime=f"2026-11-0{day}T12:00:00+00:00")
        made.append(import_pytest_benchmark(file, folder / name, command="import").path)
    return made


def gated(base: list[Path], candidate: list[Path]) -> Decision:
    return decide([read(path) for path in base], [read(path) for path in candidate], GatePolicy())


def parameter(value: Any, seconds: float) -> Case:
    return f"test_v[{value}]", seconds, {"params": {"sep": value}}


def in_module(module: str, seconds: float) -> Case:
    return "test_load", seconds, {"fullname": f"{module}.py::test_load", "group": "json"}


def on(dataset: str, seconds: float) -> Case:
    return f"test_d[{dataset}]", seconds, {"params": {"dataset": dataset}}


@pytest.mark.parametrize(
    ("old", "slow", "new"),
    [
        (parameter("a,b", 0.01), parameter("a,b", 0.03), parameter("a-b", 0.01)),
        (parameter("1", 0.01), parameter("1", 0.03), parameter(1, 0.01)),
        (in_module("a", 0.01), in_module("a", 0.03), in_module("b", 0.02)),
        (on("Flights", 0.01), on("Flights", 0.03), on("flights", 0.01)),
    ],
)
def test_a_case_written_alike_takes_no_name_over(tmp_path: Path, old: Case, slow: Case, new: Case) -> None:
    decision = gated(side(tmp_path, "base", old), side(tmp_path, "candidate", slow, new))
    (case,) = decision.cases
    assert case.verdict == "regressed"
    assert all(f.effect is not None and f.effect.estimate == pytest.approx(3, rel=0.01) for f in case.findings)
    assert any(remark.startswith("new in the candidate, with nothing to compare with") for remark in decision.remarks)


def test_an_innocent_case_is_not_called_regressed(tmp_path: Path) -> None:
    base = side(tmp_path, "base", parameter("a,b", 0.01))
    decision = gated(base, side(tmp_path, "candidate", parameter("a,b", 0.01), parameter("a-b", 0.03)))
    assert [case.verdict for case in decision.cases] == ["pass"]
