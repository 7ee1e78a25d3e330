"""What the reader of a page has before he begins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from support import make_project

GIT = {f"GIT_{who}_{what}": "reader@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
MODULE = "def total():\n    return sum(range(1_000))\n"
BENCHMARK = "from sums import total\n\n\ndef test_total(benchmark):\n    benchmark(total)\n"
SUITE = "from sums import total\n\n\ndef time_total():\n    total()\n"
ASV = '{"version": 1, "project": "sums", "repo": ".."}\n'


def commit(folder: Path) -> None:
    """Make a repository of the folder, whose branch main is also that of its remote origin."""
    for command in (
        "init --quiet --initial-branch main",
        "add .",
        "commit --quiet --allow-empty --message First",
        "remote add origin .",
        "fetch --quiet",
    ):
        subprocess.run(["git", *command.split()], cwd=folder, env=os.environ | GIT, check=True)


def benchmarks(folder: Path) -> None:
    """Benchmarks of both tools, in a repository."""
    for name, text in {
        "sums.py": MODULE,
        "benchmarks/test_totals.py": BENCHMARK,
        "bench/test_totals.py": BENCHMARK,
        "asv_bench/benchmarks/__init__.py": "",
        "asv_bench/benchmarks/indexing.py": SUITE,
        "asv_bench/asv.conf.json": ASV,
        ".gitignore": "results/\n__pycache__/\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit(folder)


def configured(folder: Path) -> None:
    """A project with a topic of its own, which is all that a gate without a selection measures, and with benchmarks."""
    make_project(folder)
    benchmarks(folder)


def sessions(folder: Path) -> None:
    """Benchmarks, and three saved sessions before a change and three after it, an hour apart."""
    benchmarks(folder)
    command = (sys.executable, "-m", "pytest", "-q", "bench", "--benchmark-json=saved.json")
    # pytest-benchmark measures nothing in a worker of pytest-xdist.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=env)
    saved = json.loads((folder / "saved.json").read_text())
    for hour, name in enumerate(["before/1", "after/1", "before/2", "after/2", "before/3", "after/3"]):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(saved | {"datetime": f"2026-01-05T0{hour}:00:00+00:00"}))


def log(folder: Path) -> None:
    """The log of May, and a configuration with the files of the page."""
    rng = np.random.default_rng(0)
    np.savez(
        folder / "may.npz",
        actions=rng.integers(3, size=90),
        clicks=rng.random(90) < 0.3,
        propensities=np.full(90, 1 / 3),
        target=np.tile([0.2, 0.3, 0.5], (90, 1)),
        contexts=rng.normal(size=(90, 2)),
    )
    (folder / "bakeoff.toml").write_text('topics = ["my_log.py", "my_estimator.py"]\n')


def policy(folder: Path) -> None:
    """A configuration with the file of the page."""
    (folder / "bakeoff.toml").write_text('topics = ["my_policy.py"]\n')


PREPARED: dict[str, Callable[[Path], None]] = {
    "docs/bandits.md": policy,
    "docs/commands.md": configured,
    "docs/exchange.md": sessions,
    "docs/gate.md": benchmarks,
    "docs/ope.md": log,
}
