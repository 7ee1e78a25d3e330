"""asv benchmarks made from the registry: a class for each task, a method for each figure.

The parameters are three axes (strategy, dataset, scenario), not one axis of combinations, because asv's pages offer
each axis as a choice and draw a line for each value of it. Invalid combinations are listed in asv's ``skip_params``:
nothing is run for them, and they have no line.
"""

from __future__ import annotations

import hashlib
import itertools
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from harness.declare.values import STRESS, TUNE
from harness.interop.asv.files import BENCHMARKS, read_benchmarks
from harness.interop.figures import AXES, MappedFigure, class_name, figures_of, module_name, suite_prefix
from harness.interop.suites import ReplayClock, Suite, run_suite, suites
from harness.records import depends_on_setup

#: asv compares two commits by Mann and Whitney's test at 0.002 if it takes that to be possible with so many samples. It
#: does so from 6 samples on, where the least two-sided p is 2/924; from 7 on the test can detect a difference.
LEAST_BLOCKS = 8

#: ``strategy, dataset, scenario`` -> ``skipped`` or ``failed`` with the reason, or ``samples`` by figure.
Cache = dict[str, dict[str, Any]]


def classes(module: Path, topics: Sequence[str] = (), results: str = "results/asv") -> dict[str, type]:
    """Make the benchmark classes of all topics, by name, for the module that asv discovers them in.

    The names of the benchmarks do not depend on the module: each method has asv's attribute ``benchmark_name``, such as
    ``boosting.TabularBinary.time_wall``.

    Parameters
    ----------
    module
        File of that module, one folder below asv.conf.json.
    topics
        Names of topics; all when empty.
    results
        ``results_dir`` of asv.conf.json.

    Raises
    ------
    UsageError
        When there is no such topic, or one of the project's declarations is wrong.
    """
    listed = listed_params(module.parent.parent / results) if _is_measuring() else {}
    made = {}
    for suite in suites(module.parent, topics, LEAST_BLOCKS):
        prefix = suite_prefix(suite.task.topic, suite.task.name)
        made[prefix.replace(".", "_")] = _class(suite, f"{module.parent.name}.{module.stem}", listed.get(prefix))
    return made


def listed_params(results: Path) -> dict[str, list[list[str]]]:
    """Read the parameters that asv has listed, by the prefix of the benchmarks of a class.

    asv lists parameters once, for the first commit of a run, and gives every commit positions in that list. In the list
    of a commit with fewer strategies, the same position would be another strategy.
    """
    return {
        name.rpartition(".")[0]: [[text.strip("'") for text in axis] for axis in entry.params]
        for name, entry in read_benchmarks(results / BENCHMARKS).items()
        if len(entry.params) == len(AXES)
    }


def _is_measuring() -> bool:
    """Return whether asv runs benchmarks in this process, rather than listing or checking them."""
    return sys.argv[1:2] != [] and Path(sys.argv[0]).name == "benchmark.py" and sys.argv[1] not in ("discover", "check")


def version(suite: Suite, figure: MappedFigure) -> str:
    """Return a digest of everything except code that a figure depends on: declaration, parameters, blocks and data.

    When it changes, asv begins a new series; so set-up phases are a part of it for totals and held memory only.
    The code of a strategy is not part of it, because a series shows the effect of that code; nor are the names of the
    strategies, because a new one does not change the others' figures.
    """
    added = {TUNE, STRESS}
    # The phases that the harness adds change no figure that was there before them.
    content: dict[str, Any] = {
        "task": suite.task.full_name,
        "phases": [phase for phase in suite.task.phases if phase not in added],
        "figure": (figure.measure, figure.unit, figure.conversion),
        "profile": suite.profile,
        "blocks": sorted({(trial.block, trial.seeds.data, trial.seeds.model) for trial in suite.trials}),
        "params": {trial.dataset: trial.params for trial in suite.trials},
        "data": {dataset.name: dataset.version for dataset in suite.datasets},
    }
    setup = sorted(set(suite.task.setup) - added)
    if setup and depends_on_setup(figure.measure):
        content["setup"] = setup
    return hashlib.blake2b(msgspec.json.encode(content, order="sorted"), digest_size=8).hexdigest()


def _class(suite: Suite, home: str, listed: list[list[str]] | None) -> type:
    name = class_name(suite.task.name)
    axes = listed or [list(dict.fromkeys(case[axis] for case in suite.cases)) for axis in range(len(AXES))]
    members: dict[str, Any] = {
        "__doc__": f"{suite.task.title}.",
        "__module__": home,
        "param_names": list(AXES),
        "params": axes,
        "skip_params": [case for case in itertools.product(*axes) if case not in suite.cases],
        # Each sample is a trial in its own process already, so asv takes every sample once, as it is.
        "rounds": 1,
        "number": 1,
        "warmup_time": 0,
        "setup_cache": _setup_cache(suite, name, home),
    }
    uses_device = any(strategy.device != "cpu" for strategy in suite.task.strategies.values())
    # Altered test sets are not handed out here, so nothing enters that phase.
    phases = [phase for phase in suite.task.phases if phase != STRESS]
    for figure in figures_of(phases, suite.task.metrics, suite.task.setup):
        if figure.measure.endswith("device_bytes") and not uses_device:
            continue
        members[figure.name] = _method(suite, name, figure)
    return type(name, (), members)


def _setup_cache(suite: Suite, name: str, home: str) -> Callable[[Any], Cache]:
    def setup_cache(_self: Any) -> Cache:
        return _run(suite)

    # asv distinguishes caches by module and line, so the function of each task needs a module of its own.
    package = home.partition(".")[0]
    module = ModuleType(f"{package}.{module_name(suite.task.topic)}.{suite.task.name}")
    sys.modules[module.__name__] = module
    made: Any = setup_cache
    made.__module__ = module.__name__
    made.__qualname__ = f"{name}.setup_cache"
    made.pretty_source = (
        f'def setup_cache(self):\n    """Run the trials of {suite.task.full_name}, each in a fresh process."""'
    )
    # Every trial has its own limit; the factor is for memory passes, the constant for starting servers.
    made.timeout = 120 + 2 * len(suite.trials) * suite.config.timeout_s
    return setup_cache


def _run(suite: Suite) -> Cache:
    cache: Cache = {}
    for case, result in run_suite(suite, suite.trials).items():
        problem = {"skipped": result.skipped, "failed": result.failed}
        cache[", ".join(case)] = {state: reason for state, reason in problem.items() if reason} or {
            "samples": result.samples
        }
    return cache


def _method(suite: Suite, name: str, figure: MappedFigure) -> Callable[..., Any]:
    # asv calls setup before every sample, and each sample must be the next one.
    replays: dict[tuple[str, ...], ReplayClock] = {}

    def time(_self: Any, _cache: Cache, *case: str) -> None:
        replays[case].step()

    def track(_self: Any, cache: Cache, *case: str) -> float:
        return _tracked(figure, _samples(cache, case, figure))

    method: Any = time if figure.is_time else track

    def setup(cache: Cache, *case: str) -> None:
        samples = _samples(cache, case, figure)
        if not figure.is_time:
            _tracked(figure, samples)
        elif case not in replays:
            replays[case] = ReplayClock(samples)
            method.timer, method.repeat = replays[case].now, len(samples)

    # asv shows this as the code of the benchmark.
    setup.pretty_source = ""  # type: ignore[attr-defined]
    method.pretty_source = (
        f"def {figure.name}(self, {', '.join(AXES)}):\n"
        f'    """{figure.title[0].upper()}{figure.title[1:]}: the median of the trials of\n\n'
        f"    bakeoff run {suite.task.full_name} -s '*' --profile {suite.profile}\n"
        '    """'
    )
    method.__name__, method.__qualname__ = figure.name, f"{name}.{figure.name}"
    method.pretty_name = f"{suite.task.full_name}: {figure.title}"
    # asv would make the name from the module; the name is that of the topic, whichever module the class is in.
    method.benchmark_name = f"{suite_prefix(suite.task.topic, suite.task.name)}.{figure.name}"
    method.version = version(suite, figure)
    method.setup = setup
    if not figure.is_time:
        method.unit = figure.unit
    return method  # type: ignore[no-any-return]


def _samples(cache: Cache, case: tuple[str, ...], figure: MappedFigure) -> list[float]:
    """Look up samples; asv shows NotImplementedError as n/a and every other error as failed."""
    entry = cache.get(", ".join(case), {"skipped": "this commit has no such strategy, data set or scenario"})
    if "skipped" in entry:
        raise NotImplementedError(entry["skipped"])
    if "failed" in entry:
        raise RuntimeError(entry["failed"])
    samples: list[float] = entry["samples"].get(figure.measure, [])
    if not samples or not figure.is_reported(samples):
        raise NotImplementedError(f"the strategy has no {figure.title}")
    return samples


def _tracked(figure: MappedFigure, samples: list[float]) -> float:
    value = figure.converted(statistics.median(samples))
    if value is None:
        raise NotImplementedError(f"{figure.title} is not positive, and asv compares by ratios")
    # asv prints every digit of a number.
    return float(f"{value:.6g}")
