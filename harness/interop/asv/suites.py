"""asv benchmarks made from the registry: a class a task, a method a figure.

The parameters are three axes (strategy, dataset, scenario), not one axis of combinations, because asv's pages offer
each axis as a choice and draw a line for each value of it. Combinations that are not valid are named in asv's
``skip_params``: nothing is run for them, and they have no line.
"""

from __future__ import annotations

import itertools
import json
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.interop.suite_figures import Figure, figures_of, version
from harness.interop.suites import ReplayClock, Suite, run_suite, suites

AXES = ("strategy", "dataset", "scenario")

#: asv calls two commits different by Mann and Whitney's test at 0.002 where that can be reached with so many samples,
#: which it thinks of 6 although the least two-sided p is 2/924; from 7 on it finds what is there.
LEAST_BLOCKS = 8

#: ``strategy, dataset, scenario`` -> ``skipped`` or ``failed`` with the reason, or ``samples`` by figure.
Cache = dict[str, dict[str, Any]]


def classes(topic: str, module: Path, results: str = "results/asv") -> dict[str, type]:
    """Make the classes of a topic, by name, for the module that asv finds them in.

    Parameters
    ----------
    module
        File of that module, one folder below asv.conf.json.
    results
        ``results_dir`` of asv.conf.json.

    Raises
    ------
    UsageError
        When there is no such topic, or one of the project's declarations is wrong.
    """
    listed = listed_params(module.parent.parent / results) if _runs() else {}
    made = {}
    for suite in suites(module.parent, (topic,), LEAST_BLOCKS):
        name = "".join(part.capitalize() for part in re.split(r"\W+", suite.task.name))
        home = f"{module.parent.name}.{module.stem}"
        made[name] = _class(suite, name, home, listed.get(f"{module.stem}.{name}"))
    return made


def listed_params(results: Path) -> dict[str, list[list[str]]]:
    """Read which parameters asv goes by, by class.

    asv lists parameters once, for the first commit of a run, and then tells every commit a position in that list. The
    list of a commit with fewer strategies would give the position to another strategy.
    """
    file = results / "benchmarks.json"
    if not file.is_file():
        return {}
    found = {}
    for name, entry in json.loads(file.read_text(encoding="utf-8")).items():
        if isinstance(entry, dict) and len(entry.get("params", ())) == len(AXES):
            found[name.rpartition(".")[0]] = [[text.strip("'") for text in axis] for axis in entry["params"]]
    return found


def _runs() -> bool:
    """Whether asv runs benchmarks in this process, rather than listing or checking them."""
    return sys.argv[1:2] != [] and Path(sys.argv[0]).name == "benchmark.py" and sys.argv[1] not in ("discover", "check")


def _class(suite: Suite, name: str, home: str, listed: list[list[str]] | None) -> type:
    axes = listed or [list(dict.fromkeys(case[axis] for case in suite.cases)) for axis in range(len(AXES))]
    members: dict[str, Any] = {
        "__doc__": f"{suite.task.title}.",
        "__module__": home,
        "param_names": list(AXES),
        "params": axes,
        "skip_params": [case for case in itertools.product(*axes) if case not in suite.cases],
        # Each sample is a trial in a process of its own already: asv takes them as they are, once.
        "rounds": 1,
        "number": 1,
        "warmup_time": 0,
        "setup_cache": _setup_cache(suite, name, home),
    }
    for figure in figures_of(suite):
        members[figure.name] = _method(suite, name, figure)
    return type(name, (), members)


def _setup_cache(suite: Suite, name: str, home: str) -> Callable[[Any], Cache]:
    def setup_cache(_self: Any) -> Cache:
        return _run(suite)

    # asv tells caches apart by module and line: each task's must seem to stand in a module of its own.
    own = ModuleType(f"{home}.{suite.task.name}")
    sys.modules[own.__name__] = own
    made: Any = setup_cache
    made.__module__ = own.__name__
    made.__qualname__ = f"{name}.setup_cache"
    made.pretty_source = (
        f'def setup_cache(self):\n    """Run the trials of {_named(suite)}, each in a fresh process."""'
    )
    # Every trial has its own limit; the factor is for memory passes, the rest for starting servers.
    made.timeout = 120 + 2 * len(suite.trials) * suite.config.timeout_s
    return setup_cache


def _run(suite: Suite) -> Cache:
    cache: Cache = {}
    for case, outcome in run_suite(suite, suite.trials).items():
        problem = {"skipped": outcome.skipped, "failed": outcome.failed}
        cache[", ".join(case)] = {state: reason for state, reason in problem.items() if reason} or {
            "samples": outcome.samples
        }
    return cache


def _method(suite: Suite, name: str, figure: Figure) -> Callable[..., Any]:
    # asv sets up anew before every sample, and each must be the next one.
    replays: dict[tuple[str, ...], ReplayClock] = {}

    def time(_self: Any, _cache: Cache, *case: str) -> None:
        replays[case].step()

    def track(_self: Any, cache: Cache, *case: str) -> float:
        return _tracked(figure, _samples(cache, case, figure))

    method: Any = time if figure.timed else track

    def setup(cache: Cache, *case: str) -> None:
        samples = _samples(cache, case, figure)
        if not figure.timed:
            _tracked(figure, samples)
        elif case not in replays:
            replays[case] = ReplayClock(samples)
            method.timer, method.repeat = replays[case].now, len(samples)

    # What asv shows as the benchmark's code.
    setup.pretty_source = ""  # type: ignore[attr-defined]
    method.pretty_source = (
        f"def {figure.name}(self, {', '.join(AXES)}):\n"
        f'    """{figure.title[0].upper()}{figure.title[1:]}: the median of the trials of\n\n'
        f'    bakeoff run {_named(suite)} --profile {suite.profile}\n    """'
    )
    method.__name__, method.__qualname__ = figure.name, f"{name}.{figure.name}"
    method.pretty_name = f"{_named(suite)}: {figure.title}"
    method.version = version(suite, figure)
    method.setup = setup
    if not figure.timed:
        method.unit = figure.unit
    return method  # type: ignore[no-any-return]


def _samples(cache: Cache, case: tuple[str, ...], figure: Figure) -> list[float]:
    """Look up samples; asv shows NotImplementedError as n/a and every other error as failed."""
    entry = cache.get(", ".join(case), {"skipped": "this commit has no such strategy, data set or scenario"})
    if "skipped" in entry:
        raise NotImplementedError(entry["skipped"])
    if "failed" in entry:
        raise RuntimeError(entry["failed"])
    if figure.measure not in entry["samples"]:
        raise NotImplementedError(f"the strategy has no {figure.title}")
    samples: list[float] = entry["samples"][figure.measure]
    return samples


def _tracked(figure: Figure, samples: list[float]) -> float:
    value = figure.value(statistics.median(samples))
    if value is None:
        raise NotImplementedError(f"{figure.title} is not positive, and asv compares by ratios")
    # asv prints every digit that it is given.
    return float(f"{value:.6g}")


def _named(suite: Suite) -> str:
    return f"{suite.task.topic}/{suite.task.name}"
