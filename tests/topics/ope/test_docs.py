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
    project = Project(tmp_path)
    quick = ("ope/interval-real", "-d", "may", "--blocks", "1")
    plan = project.bakeoff("run", *quick, "--dry-run").stdout
    assert "  1 blocks of betting-ips, normal-ips\n" in plan
    # One run, because PyTorch takes long to import.
    named = [word for name in ("root-ips", "dr", "betting-ips", "normal-ips") for word in ("-s", name)]
    done = project.bakeoff("run", "ope/value-real", *quick, *named)
    assert done.stdout.startswith("4 trials in ")
    assert "failed" not in done.stdout
