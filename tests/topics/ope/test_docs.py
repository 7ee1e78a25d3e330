"""The estimator of docs/ope.md runs as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from support import Project

PAGE = Path(__file__).parents[3] / "docs" / "ope.md"


def test_the_printed_estimator_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my_estimator.py").write_text(code)
    (tmp_path / "bakeoff.toml").write_text('topics = ["my_estimator.py"]\n')
    small = "--blocks 1 --set rounds=100 --set replications=5"
    done = Project(tmp_path).bakeoff(*f"run ope/value -s root-ips {small}".split())
    assert "1 trials: 1 ok" in done.stdout
