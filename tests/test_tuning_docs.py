"""docs/tuning.md shows a topic with tuning: it runs, and tuning finds what is better."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support import Project

from harness.store.read import read

PAGE = (Path(__file__).parents[1] / "docs" / "tuning.md").read_text(encoding="utf-8")


def test_the_example_runs_and_the_tuned_strategy_is_better(tmp_path: Path) -> None:
    (topic,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "neighbours.py").write_text(topic, encoding="utf-8")
    (tmp_path / "bakeoff.toml").write_text('topics = ["neighbours.py"]\n', encoding="utf-8")
    project = Project(tmp_path)
    printed = project.bakeoff("run", "--blocks", "3", "--tables", COLUMNS="120").stdout
    assert "nearest (tuned, 6 tries)" in printed
    rows = {row["strategy"]: row for row in json.loads(project.bakeoff("show", "--json").stdout)["cells"]}
    error = {name: row["measures"]["mse"]["median"] for name, row in rows.items()}
    # The noise has variance 0.25; one neighbour adds its own noise to that.
    assert 0.2 < error["nearest-tuned"] < 0.35 < 0.4 < error["nearest"] < 0.6
    assert sum(choice["blocks"] for choice in rows["nearest-tuned"]["choices"]) == 3
    tuned = [record for record in read(project.runs()[0])[1] if record.trial.strategy == "nearest-tuned"]
    assert [len(record.tries) for record in tuned] == [6, 6, 6]
    assert all("k" in record.choice for record in tuned)
