"""`make bench` compiles kernels before it measures, and only where something has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

COMPILES, MEASURES = "bakeoff run bandits ope logistic recommendation --blocks 1", "bakeoff run --profile quick"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_bench_compiles_first_and_only_once(tmp_path: Path) -> None:
    shutil.copy("Makefile", tmp_path)
    kernels = tmp_path / "harness" / "topics" / "some" / "engine"
    kernels.mkdir(parents=True)
    for file in ("pyproject.toml", "constraints.txt"):
        (tmp_path / file).touch()
    (kernels / "kernel.py").write_text("from numba import njit\n")
    fresh = _commands(tmp_path)
    assert fresh.index("pip install") < fresh.index(COMPILES) < fresh.index(MEASURES)
    (tmp_path / ".venv").mkdir()
    for stamp in (".ready", ".compiled"):
        (tmp_path / ".venv" / stamp).touch()
    assert COMPILES not in _commands(tmp_path)
    later = (tmp_path / ".venv" / ".compiled").stat().st_mtime + 10
    os.utime(kernels / "kernel.py", (later, later))
    assert COMPILES in _commands(tmp_path)


def _commands(folder: Path) -> str:
    return subprocess.run(["make", "--dry-run", "bench"], cwd=folder, check=True, capture_output=True, text=True).stdout
