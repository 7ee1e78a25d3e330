"""Commands read damaged runs; none ends as a fault of bakeoff itself, waits for ever or takes much memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from bench_fuzz import damaged, tracked

FUZZER = Path(__file__).parents[2] / "benchmarks" / "own" / "bench_fuzz.py"


def test_no_command_fails_on_damaged_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(FUZZER), "--files", "40", "--seed", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["files"], report["faults"]) == (40, {})
    # Both kinds were met: runs that are refused, and runs that are read in spite of their damage.
    assert min(report["exit codes"][code] for code in ("0", "2")) > 50


def test_damages_are_many_and_repeat_with_their_seed() -> None:
    base = tracked()[0]
    made = [damaged(base, random.Random(number)) for number in range(1000)]
    assert made == [damaged(base, random.Random(number)) for number in range(1000)]
    assert len(set(made) - {b"".join(base)}) > 800
