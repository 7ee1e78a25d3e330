"""The strategy that CONTRIBUTING.md shows passes lint and types where it is pasted, and runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import fresh_process

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = Path("harness/topics/boosting/sklearn_trees.py")
RUN = """\
import json, sys
import numpy as np
import harness
assert harness.__file__.startswith(sys.argv[1]), harness.__file__
from harness import Problem, Split, Table
from harness.topics.boosting import sklearn_trees, task
from unmeasured import unmeasured

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3)).astype(np.float32)
table = Table(X, (X[:, 0] > 0).astype(np.int8))
for array in (table.X, table.y):
    array.flags.writeable = False
params = {name: param.default for name, param in task.params.items()} | {"trees": 20, "depth": 3}
strategy = list(task.strategies.values())[-1]
data = Split(table, table, ("a", "b", "c"))
scores = strategy.run(Problem(task.view(data), params, 0), unmeasured)
print(json.dumps([strategy.name, len(scores), task.judge(data, scores).metrics["auc"]]))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its settings, with the example at the end of the file that the page names."""
    folder = tmp_path_factory.mktemp("pasted")
    shutil.copytree(ROOT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__", "*.nb[ic]"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    section = PAGE.partition("## Add a strategy\n")[2]
    assert f"`{FILE}`" in section.partition("```")[0]
    (example, *_) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{example}")
    return folder


@pytest.mark.parametrize(
    "command",
    [("ruff", "check"), ("ruff", "format", "--check"), ("mypy", "--cache-dir", str(ROOT / ".mypy_cache"))],
    ids=["lint", "format", "types"],
)
def test_the_example_passes_the_checks(tree: Path, command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command, str(FILE)], cwd=tree, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_learns_from_200_rows(tree: Path) -> None:
    path = f"import sys; sys.path[:0] = [{str(tree)!r}, {str(ROOT / 'tests')!r}]\n"
    name, rows, auc = fresh_process(path + RUN, str(tree))
    assert name == "sklearn-extra-trees"
    assert rows == 200
    assert auc > 0.9
