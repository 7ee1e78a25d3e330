"""One side of a gate: a program that is run by its path in the environment of that side.

It speaks JSON, a line a message, and uses of the package that it finds there (the base's may be an older one) only what
every revision has: the registry, the plan, the phase clock and the worker's preparation.

``plan`` reads a selection and answers with trials, metrics and versions of data. ``pair`` reads a trial and prepares
it; then it answers calls with the times of the phases, and last with a digest of what was predicted, or its judgement.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TextIO

import msgspec
import numpy as np

from harness.config import read_config
from harness.declare import Judgement, Problem
from harness.errors import BakeoffError
from harness.measure import threads
from harness.measure.clock import PhaseClock
from harness.measure.device import open_device
from harness.measure.needs import missing_module, why_not
from harness.measure.worker import Job, freeze, prepare
from harness.plan import make_plan
from harness.plan.make import known_part
from harness.plan.selection import Selection
from harness.records import Trial
from harness.registry import Registry, load_registry


def main() -> None:
    """Answer until standard input closes or the work is done."""
    task: Callable[[Registry, TextIO], Iterator[dict[str, Any]]] = {"plan": _plan, "pair": _pair}[sys.argv[1]]
    requests, answers = _take_standard_streams()
    # Whatever a strategy raises, SystemExit included, is an answer.
    try:
        for answer in task(load_registry(read_config(Path.cwd())), requests):
            _send(answers, answer)
    except BaseException as error:
        sentence = next(iter(str(error).splitlines()), "")
        named = sentence if isinstance(error, BakeoffError) else f"{type(error).__name__}: {sentence}"
        unable = type(error).__name__ == "CannotRunError"  # a class that an older base does not have
        _send(answers, {"error": named[:500], "usage": isinstance(error, BakeoffError), "unable": unable})
    answers.flush()
    os._exit(0)  # finalisation of libraries is nobody's figure


def _plan(registry: Registry, requests: TextIO) -> Iterator[dict[str, Any]]:
    selection = known_part(msgspec.convert(json.loads(requests.readline()), Selection), registry)
    trials = make_plan(selection, registry).trials
    chosen = {(trial.topic, trial.task, trial.strategy) for trial in trials}
    tasks = {(topic, task): registry.topics[topic].tasks[task] for topic, task, _ in chosen}
    yield {
        "trials": [msgspec.to_builtins(trial) for trial in trials],
        "variants": [trial.variant for trial in trials],
        "missing": [
            [topic, task, strategy, why_not(tasks[topic, task].strategies[strategy], registry.topics[topic])]
            for topic, task, strategy in sorted(chosen)
        ],
        "metrics": [
            [topic, task, metric.name, metric.direction, metric.unit, getattr(metric, "margin", 0.0)]
            for (topic, task), declared in sorted(tasks.items())
            for metric in declared.metrics
        ],
        "data": {name: registry.dataset(name).version for name in sorted({trial.dataset for trial in trials})},
    }


def _pair(registry: Registry, requests: TextIO) -> Iterator[dict[str, Any]]:
    job = _job(registry, json.loads(requests.readline()))
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)
    _import({*job.strategy.needs, *job.dataset.needs})
    threads.limit(_controller(), int(job.trial.params["threads"]))
    data = prepare(job)
    freeze(data)
    problem = Problem(data=job.task.view(data), params=job.trial.params, seed=job.trial.seeds.model)
    gc.collect()
    gc.freeze()
    output: Any = None
    yield {"ready": True}
    for line in requests:
        message = json.loads(line)
        if "calls" in message:
            output, times = _calls(job, problem, message["calls"])
            yield {"times": times}
        elif "judge" not in message:
            yield {"digest": _digest_of(output)}
        else:
            _import({*registry.topics[job.trial.topic].needs})
            judgement = job.task.judge(data, output)
            _keep_examples(judgement, message["judge"])
            yield {"metrics": {metric.name: _finite(metric.name, judgement.metrics) for metric in job.task.metrics}}


def _finite(name: str, metrics: Mapping[str, float]) -> float:
    value = float(metrics[name])
    if not math.isfinite(value):
        raise ValueError(f"metric {name} is {value}")
    return value


def _calls(job: Job, problem: Problem, count: int) -> tuple[Any, dict[str, list[float]]]:
    """Call the strategy some times; return its last output, and for each phase the sums of wall and CPU time."""
    output: Any = None
    times: dict[str, list[float]] = {}
    for _ in range(count):
        output = None
        gc.collect()
        clock = PhaseClock(job.task.phases, open_device(job.strategy.device), lambda *_: None, repeat=False)
        output = job.strategy.run(problem, clock, **job.trial.options)
        for phase, found in clock.figures.items():
            sums = times.setdefault(phase, [0.0, 0.0])
            sums[0] += sum(found.wall_s)
            sums[1] += sum(found.cpu_s)
    if not times:
        raise ValueError(f"it entered none of the task's phases: {', '.join(job.task.phases)}")
    return output, times


def _job(registry: Registry, message: dict[str, Any]) -> Job:
    trial = msgspec.convert(message["trial"], Trial)
    task = registry.topics[trial.topic].tasks[trial.task]
    return Job(
        trial=trial,
        task=task,
        strategy=task.strategies[trial.strategy],
        dataset=registry.dataset(trial.dataset),
        scenario=next(scenario for scenario in task.scenarios if scenario.name == trial.scenario),
        cores=message["cores"],
        quiet=False,
    )


def _import(names: set[str]) -> None:
    for name in sorted(names):
        if not missing_module(name):
            importlib.import_module(name)


def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _digest_of(output: Any) -> str:
    """Return a digest of all numbers within an output; empty where there is something else in it."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        _feed(digest.update, output)
    except TypeError:
        return ""
    return digest.hexdigest()


def _feed(update: Callable[[bytes], None], value: Any) -> None:
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        value = [part for item in sorted(value.items(), key=lambda item: str(item[0])) for part in item]
    if isinstance(value, list | tuple):
        update(f"[{len(value)}".encode())
        for part in value:
            _feed(update, part)
        return
    if isinstance(value, str | bytes | int | float | bool | None):
        update(repr(value).encode())
        return
    array = np.ascontiguousarray(value)
    if array.dtype.hasobject:
        raise TypeError("an object that is no array of numbers")
    update(f"{array.dtype.str}{array.shape}".encode())
    update(array.tobytes())


def _keep_examples(judgement: Judgement, path: str) -> None:
    """Write what the judgement says example by example, where the task keeps it and the gate asks for it."""
    arrays: dict[str, Any] = {}
    for name, examples in getattr(judgement, "examples", {}).items() if path else ():
        arrays[f"{name}.values"] = np.asarray(examples.values)
        if examples.labels is not None:
            arrays[f"{name}.labels"] = np.asarray(examples.labels)
    if arrays:
        np.savez(path, **arrays)


def _take_standard_streams() -> tuple[TextIO, TextIO]:
    """Move the protocol off descriptors 0 and 1, where a strategy may read or print."""
    requests, answers = os.dup(0), os.dup(1)
    with contextlib.ExitStack() as stack:
        nothing = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, nothing)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
    return os.fdopen(requests, encoding="utf-8"), os.fdopen(answers, "w", encoding="utf-8")


def _send(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
