"""What the reader of a page has before he begins."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

GIT = {f"GIT_{who}_{what}": "reader@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
MODULE = "def total():\n    return sum(range(1_000))\n"
BENCHMARK = "from sums import total\n\n\ndef test_total(benchmark):\n    benchmark(total)\n"
SUITE = "from sums import total\n\n\ndef time_total():\n    total()\n"
ASV = '{"version": 1, "project": "sums", "repo": ".", "benchmark_dir": "asv_bench"}\n'


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
        "asv_bench/__init__.py": "",
        "asv_bench/indexing.py": SUITE,
        "asv.conf.json": ASV,
        ".gitignore": "results/\n__pycache__/\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    commit(folder)


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


PREPARED: dict[str, Callable[[Path], None]] = {
    "README.md": benchmarks,
    "docs/bandits.md": lambda folder: (folder / "bakeoff.toml").write_text('topics = ["my_policy.py"]\n') and None,
    "docs/gate.md": benchmarks,
    "docs/ope.md": log,
}
