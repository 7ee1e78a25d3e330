"""A live gate measures a base whose Bakeoff is older: every module of the harness has moved since."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from gate.environments.repositories import commit, git, isolate
from support import Project

ROOT = Path(__file__).parents[3]
OLD = "328de08"  # the last commit before the modules of the harness moved
TOPIC = """
import numpy as np

from harness import Dataset, Judgement, Metric, Profile, Topic

topic = Topic("small", title="Small work")
task = topic.task(
    "sort",
    title="Sort numbers",
    datasets=[Dataset("numbers", lambda params, rng: rng.random(50_000), params={})],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=lambda data, output: Judgement({"error": float(np.count_nonzero(np.diff(output) < 0))}),
    quick=Profile(blocks=2),
)


@task.strategy("sort")
def sort(problem, phase):
    with phase("fit"):
        return np.sort(problem.data)
"""
# The folder datasets/ of each tree is the harness's own; the project has no cards.
CONFIG = """
topics = ["small.py"]
datasets = "none"

[gate]
pairs = 2
rounds = 2
budget_s = 120
"""


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with the old harness in its commit and today's in its work tree."""
    isolate(monkeypatch, tmp_path / "cache")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    old = subprocess.run(["git", "archive", OLD, "harness", "datasets"], cwd=ROOT, capture_output=True, check=False)
    if old.returncode:
        pytest.skip(f"this clone lacks commit {OLD} (shallow, or not a git repository): git fetch --unshallow")
    folder = tmp_path / "moved"
    with tarfile.open(fileobj=io.BytesIO(old.stdout)) as archive:
        archive.extractall(folder, filter="data")
    (folder / "bakeoff.toml").write_text(CONFIG)
    (folder / "small.py").write_text(TOPIC)
    (folder / ".gitignore").write_text("__pycache__/\nresults/\n")
    git(folder, "init", "-q", "--initial-branch=main")
    commit(folder)
    for name in ("harness", "datasets"):
        shutil.rmtree(folder / name)
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(folder)


def test_a_base_from_before_the_move_gets_a_verdict_with_figures(moved: Project) -> None:
    assert (moved.folder / "harness" / "measure" / "job.py").is_file()
    done = subprocess.run(
        moved.command("gate", "--base", "main", "-t", "small", "--json"),
        cwd=moved.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # Two pairs may leave times inconclusive (6), and a slower start of one side may even be worse (1).
    assert done.returncode in (0, 1, 6), done.stderr
    (case,) = json.loads(done.stdout)["cases"]
    figures = {finding["figure"]: finding for finding in case["findings"]}
    assert {"cpu_s", "wall_s", "peak_bytes", "error"} <= figures.keys()
    assert all(figures[name]["effect"]["base"] > 0 for name in ("cpu_s", "wall_s", "peak_bytes"))
    assert figures["error"]["reason"] == "identical predictions"
    assert not any(pair["failed"] for pair in case["pairs"])
