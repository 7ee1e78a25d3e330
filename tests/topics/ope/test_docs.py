"""The estimator and the log of docs/ope.md run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from support import Project

PAGE = Path(__file__).parents[3] / "docs" / "ope.md"


def test_the_printed_code_runs(tmp_path: Path) -> None:
    files = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [name for name, _ in files] == ["my_log.py", "my_estimator.py"]
    for name, code in files:
        (tmp_path / name).write_text(code)
    (tmp_path / "bakeoff.toml").write_text('topics = ["my_log.py", "my_estimator.py"]\n')
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "may.npz",
        actions=rng.integers(3, size=90),
        clicks=rng.random(90) < 0.3,
        propensities=np.full(90, 1 / 3),
        target=np.tile([0.2, 0.3, 0.5], (90, 1)),
        contexts=rng.normal(size=(90, 2)),
    )
    done = Project(tmp_path).bakeoff(
        "run", "ope/value-real", "-d", "may", "-s", "root-ips", "-s", "dr", "--blocks", "1"
    )
    assert done.stdout.startswith("2 trials in ")
    assert "failed" not in done.stdout
    done = Project(tmp_path).bakeoff("run", "ope/interval-real", "-d", "may", "--blocks", "1")
    assert done.stdout.startswith("2 trials in ")
    assert "failed" not in done.stdout
