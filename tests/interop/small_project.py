"""A small project in which suites are made."""

from __future__ import annotations

from pathlib import Path

TOPIC = """
from pathlib import Path

from harness.declare import (CLEAN, Dataset, Judgement, Metric, Param, Profile, Scenario, Topic)

topic = Topic("small", title="Small")
AGED = Scenario("aged", lambda data, rng: data, requires=("time",))


def load(params, rng):
    return rng.random(int(params["rows"]))


task = topic.task(
    "two-words",
    title="Return the mean",
    datasets=[
        Dataset("plain", load, version="1"),
        Dataset("dated", load, provides=("time",), version="1"),
        Dataset("other", load, version="1"),
    ],
    scenarios=[CLEAN, AGED],
    phases=["fit", "predict"],
    metrics=[
        Metric("error", direction="lower", unit="nat"),
        Metric("auc", direction="higher", unit="1"),
        Metric("gain", direction="higher", unit="euro"),
    ],
    judge=lambda data, output: Judgement({"error": 0.25, "auc": 0.75, "gain": output}),
    params={"rows": Param(100, low=1)},
    sweep={"rows": [10, 20]},
    quick=Profile(blocks=2, datasets=("plain", "dated"), scenarios=("clean", "aged")),
    full=Profile(blocks=1, sweeps=True),
)


@task.strategy("four", sweep={"power": [1, 2]})
def four(problem, phase, power=0):
    with open(Path(__file__).with_name("trials"), "a") as trials:
        trials.write("x")
    with phase("fit"):
        pass
    with phase("predict"):
        return 4.0


@task.strategy("loses", quick=False)
def loses(problem, phase):
    with phase("fit"):
        return -1.0


@task.strategy("fails")
def fails(problem, phase):
    with phase("fit"):
        raise RuntimeError("planted")


@task.strategy("elsewhere", needs="no_such_package")
def elsewhere(problem, phase):
    raise AssertionError
"""


# Changes that let the data set "dated" be missing.
MISSING = (
    'Dataset("dated", load, provides=("time",), version="1"),',
    'Dataset("dated", load, provides=("time",), version="1", verify=missing),',
)
RAISE = (
    'topic = Topic("small"',
    'def missing():\n    raise MissingDataError("gone", "dated")\n\n\ntopic = Topic("small"',
)
IMPORT = ("from pathlib import Path\n", "from pathlib import Path\n\nfrom harness import MissingDataError\n")


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write a project with one task, of which one data set has no time; a data set and a strategy are not quick."""
    topic = TOPIC
    for old, new in changes:
        assert old in topic
        topic = topic.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "small.py").write_text(topic)
    (folder / "bakeoff.toml").write_text('topics = ["small.py"]\n')
    (folder / "benchmarks").mkdir(exist_ok=True)
    return folder
