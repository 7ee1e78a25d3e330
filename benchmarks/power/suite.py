"""A project of 20 cases of a fifth of a second each, with a commit that makes two of them slower, and its gate."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec


class Suite(msgspec.Struct):
    """A real gate of the project, with the cases that did not pass."""

    cases: int
    loaded: bool
    elapsed_s: float
    exit: int
    pairs: int
    not_passed: dict[str, str]


#: What the second commit makes slower, and by how much.
SLOWER = {"count-2": 0.1, "words-4": 0.3}

_TOPIC = '''
"""Four kinds of work in Python and numpy, five sizes each."""

import json

import numpy as np
from harness import Dataset, Judgement, Metric, Topic

MORE = {more}

topic = Topic("own", title="Twenty cases of a fifth of a second")
task = topic.task(
    "work",
    title="Four kinds of work",
    datasets=[Dataset("numbers", lambda params, rng: rng.integers(0, 1000, 300_000))],
    phases=["work"],
    metrics=[Metric("done", direction="higher", unit="1", margin=0.5)],
    judge=lambda data, output: Judgement({{"done": float(output > 0)}}),
)


def count(numbers, size):
    seen = {{}}
    for index, number in enumerate(numbers[: int(190_000 * size)].tolist() * 8):
        seen[number] = seen.get(number, 0) + (index % 13 > 3)
    return len(seen)


def words(numbers, size):
    text = " ".join(map(str, numbers[: int(120_000 * size)].tolist() * 6))
    return len(sorted(text.split(), key=len))


def arrays(numbers, size):
    total = 0.0
    for _ in range(int(12 * size)):
        total += float(np.sort(numbers * 1.5)[::7].sum())
    return total


def encode(numbers, size):
    rows = [{{"row": index, "value": number}} for index, number in enumerate(numbers[: int(180_000 * size)].tolist())]
    return len(json.dumps(rows))


def declare(kind, number):
    name = f"{{kind.__name__}}-{{number}}"
    size = (1 + number / 20) * (1 + MORE.get(name, 0.0))

    @task.strategy(name)
    def strategy(problem, phase):
        """Do the work once."""
        with phase("work"):
            return kind(problem.data, size)


for kind in (count, words, arrays, encode):
    for number in range(1, 6):
        declare(kind, number)
'''


def make(folder: Path) -> None:
    """Make the repository of the project with its two commits."""
    folder.mkdir(parents=True)
    (folder / "bakeoff.toml").write_text('topics = ["own.py"]\n', encoding="utf-8")
    (folder / ".gitignore").write_text("results/\n", encoding="utf-8")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for message, more in (("Twenty cases", {}), ("Two of them are slower", SLOWER)):
        (folder / "own.py").write_text(_TOPIC.format(more=repr(more)), encoding="utf-8")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", message)


def gate(folder: Path, *, loaded: bool) -> Suite:
    """Gate the last commit of the project against the one before, and say what came out."""
    environment = {**os.environ, "COLUMNS": "120", "BAKEOFF_CACHE": str(folder.parent / "cache")}
    started = time.monotonic()
    told = subprocess.run(
        [Path(sys.executable).with_name("bakeoff"), "gate", "--base", "HEAD~1", "--json"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    elapsed_s = time.monotonic() - started
    decision = msgspec.json.decode(told.stdout)
    verdicts = {case["name"].split("/")[2]: case["verdict"] for case in decision["cases"]}
    return Suite(
        len(verdicts),
        loaded,
        round(elapsed_s, 1),
        told.returncode,
        sum(len(case.get("pairs", [])) for case in decision["cases"]),
        {name: verdict for name, verdict in sorted(verdicts.items()) if verdict != "pass"},
    )


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Bakeoff", "-c", "user.email=bakeoff@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)
