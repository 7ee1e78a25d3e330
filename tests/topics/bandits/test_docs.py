"""The policy of docs/bandits.md runs as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from support import Project

PAGE = Path(__file__).parents[3] / "docs" / "bandits.md"


def test_the_printed_policy_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my_policy.py").write_text(code)
    (tmp_path / "bakeoff.toml").write_text('topics = ["my_policy.py"]\n')
    small = "--blocks 1 --set horizon=50 --set replications=5"
    done = Project(tmp_path).bakeoff(*f"run bandits/stationary -s boltzmann {small}".split())
    assert done.stdout.startswith("1 trial in ")
    assert "failed" not in done.stdout
