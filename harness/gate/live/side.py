"""One side of a live gate: a program that runs in the environment of that side, on the harness that it finds there.

Run as ``python -P -m harness.gate.live.side plan``, ``... pair`` or ``... loads``. It reads and writes JSON,
one object a line, on standard input and output. Its first line says which protocol it speaks::

    {"protocol": 2}

``plan`` reads a selection and answers once:

    trials, variants    the trials of the selection, and the digest of what each of them repeats
    missing             [topic, task, strategy, why it cannot run here, empty when it can]
    metrics             [topic, task, metric, direction, unit, margin]
    setup               [topic, task, phases that are in no total]
    data                data set to version
    missing_data        data set that is not here to the command that gets it
    declared            [topic, task, strategy, file and line]
    relative            [topic, task, metric] whose margin is a share of the base's value
    unfit, unmeasured   of cases that another tool collected: variant to the reason why it cannot be gated, and the
                        variants of which only metrics are judged
    modules             top-level module to its file, for what loading the topics has imported

``pair`` reads ``{"trial": ..., "cores": [...]}``, tunes the strategy if it has a search, prepares the data and answers
``{"ready": true, "choice": {...}}`` with the options that tuning chose. Then it answers each request:

    {"calls": 3, "passes": {phase: 9}}
                        {"times": {phase: [wall, CPU]}}, seconds summed over the calls; where phases have a ``for``
                        statement also {"passes": {phase: 9}, "loop_s": 4e-8}: the passes of a call, and the seconds of
                        an empty pass, which are taken off the times
    {}                  {"digest": ...} of what the last call returned; empty if that is more than numbers and text
    {"judge": FILE}     {"metrics": {...}}; what the judge says of each example goes to FILE, unless that is empty

The last two also answer ``{"diverged": step}`` if training diverged, the former only if the strategy said so itself.

``loads`` reads ``{"trial": ..., "trees": [folder, ...]}``, runs and judges the trial once in a fork of its own, and
answers with a `harness.measure.loaded.Loaded`. If that says ``"next": true`` beside, the process reads another request;
that of an earlier Bakeoff ends after the first.

Whatever a strategy raises is an answer, and the last one: ``{"error": sentence, "usage": ..., "unable": ...}``.

Protocol 1, of the first Bakeoff, is the same without the first line. A new field that the other end may ignore, and a
task that the gate can do without, keep the number; anything else raises `PROTOCOL`.
"""

from __future__ import annotations

import gc
import hashlib
import mmap
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import psutil
from threadpoolctl import ThreadpoolController

from harness.config import read_config
from harness.declare import Judgement, Problem, Task
from harness.declare.task import ListedCase
from harness.errors import BakeoffError, CannotRunError
from harness.gate.foreign.suite import SHARED
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu, open_device
from harness.measure.job import Job, import_installed, reason_of, why_not
from harness.measure.judging import Diverged
from harness.measure.loaded import Loaded, Watch
from harness.measure.messages import take_standard_streams, write_line
from harness.measure.tune import tune
from harness.plan import make_plan
from harness.plan.data import check_data
from harness.plan.make import known_part
from harness.plan.selection import Selection
from harness.records import Scalar, Trial
from harness.registry import Registry, load_registry

PROTOCOL = 2
_LOOPS, _LOOPED = 5, 20_000

#: What answers the requests of a task.
Answers = Callable[[Registry, BinaryIO], Iterator[dict[str, Any]]]


class PairTask(msgspec.Struct):
    """What a process of a pair is to run."""

    trial: Trial
    cores: list[int]


class LoadsTask(msgspec.Struct):
    """The trial whose files are wanted, and the folders that the project lies in on both sides."""

    trial: Trial
    trees: list[str]


def main() -> None:
    """Answer until standard input closes or the work is done."""
    requests, answers = take_standard_streams()
    write_line(answers, {"protocol": PROTOCOL})
    # Whatever a strategy raises, SystemExit included, is an answer.
    try:
        config = read_config(Path.cwd())
        task = _task(sys.argv[1])
        for answer in task(load_registry(config), os.fdopen(requests, "rb", buffering=0)):
            write_line(answers, answer)
    except BaseException as error:
        usage, unable = isinstance(error, BakeoffError), isinstance(error, CannotRunError)
        reason = next(iter(str(error).splitlines()), "") if usage else reason_of(error)
        write_line(answers, {"error": reason, "usage": usage, "unable": unable})
    os._exit(0)  # the time that libraries take to finalise belongs to no strategy


def _task(name: str) -> Answers:
    # The watch begins after the configuration was read: what that means shows in the trials and in what is imported,
    # and the gate's policy, in the same file, is not part of a side.
    return partial(_loads, Watch()) if name == "loads" else {"plan": _plan, "pair": _pair}[name]


def _plan(registry: Registry, requests: BinaryIO) -> Iterator[dict[str, Any]]:
    selection = known_part(msgspec.json.decode(requests.readline(), type=Selection), registry)
    trials = make_plan(selection, registry, every_strategy=True).trials
    chosen = {(trial.topic, trial.task, trial.strategy) for trial in trials}
    listed = _listed(trials, registry)
    tasks = {(topic, task): registry.topics[topic].tasks[task] for topic, task, _ in chosen}
    yield {
        "trials": trials,
        "variants": [trial.variant for trial in trials],
        "missing": [
            [topic, task, strategy, why_not(tasks[topic, task].strategies[strategy], registry.topics[topic])]
            for topic, task, strategy in sorted(chosen)
        ],
        "metrics": [
            [topic, task, metric.name, metric.direction, metric.unit, metric.margin]
            for (topic, task), declared in sorted(tasks.items())
            for metric in declared.metrics
        ],
        "setup": [[topic, task, declared.setup] for (topic, task), declared in sorted(tasks.items())],
        "data": {name: registry.dataset(name).version for name in sorted({trial.dataset for trial in trials})},
        "missing_data": check_data(trials, registry),
        "declared": [
            [topic, task, strategy, tasks[topic, task].strategies[strategy].where]
            for topic, task, strategy in sorted(chosen)
        ],
        "relative": [
            [*task, metric.name] for task, declared in tasks.items() for metric in declared.metrics if metric.relative
        ],
        "unfit": {variant: case.reason for variant, case in listed.items() if case.reason},
        "unmeasured": [variant for variant, case in listed.items() if not case.measured],
        "modules": {
            name: file
            for name, module in list(sys.modules.items())
            if "." not in name and isinstance(file := getattr(module, "__file__", None), str)
        },
    }


def _listed(trials: Iterable[Trial], registry: Registry) -> dict[str, ListedCase]:
    """Return the cases of other tools by the variants of their trials."""
    cases = {
        _identity(task, case.strategy, case.dataset, case.scenario, case.params, case.options): case
        for task in registry.tasks()
        for case in task.listed
    }
    found: dict[str, ListedCase] = {}
    for trial in trials if cases else ():
        task = registry.topics[trial.topic].tasks[trial.task]
        params = {name: value for name, value in trial.params.items() if name not in task.params}
        key = _identity(task, trial.strategy, trial.dataset, trial.scenario, params, trial.options)
        found[trial.variant] = cases[key]
    return found


def _identity(task: Task, *parts: str | Mapping[str, Scalar]) -> bytes:
    return msgspec.json.encode((task.full_name, *parts), order="sorted")


def _pair(registry: Registry, requests: BinaryIO) -> Iterator[dict[str, Any]]:
    asked = msgspec.json.decode(requests.readline(), type=PairTask)
    job = _ready(Job.of(asked.trial, registry, asked.cores))
    data = job.prepare()
    problem = job.problem(data)
    gc.collect()
    gc.freeze()
    output: Any = None
    yield {"ready": True, "choice": dict(job.choice or {})}
    for line in requests:
        message = msgspec.json.decode(line)
        if "calls" in message:
            # A gate of an earlier Bakeoff asks for no passes.
            output, answer = _call(job, problem, message["calls"], message.get("passes", {}))
            yield answer
        elif "judge" not in message:
            yield {"digest": _digest_of(output), "diverged": output.step if isinstance(output, Diverged) else None}
        else:
            # Not imported before: most pairs predict the same on both sides and are not judged.
            import_installed(job.topic.needs)
            judgement = job.judge(data, output)
            _write_examples(judgement, message["judge"])
            yield {"metrics": dict(judgement.metrics), "diverged": judgement.diverged}


def _ready(job: Job) -> Job:
    """Import what the strategy and the data set need, take the cores, and tune a strategy that has a search."""
    import_installed((*job.strategy.needs, *job.dataset.needs))
    job.take_cores(ThreadpoolController())
    return replace(job, choice=tune(job).choice) if job.untuned else job


def _loads(watch: Watch, registry: Registry, requests: BinaryIO) -> Iterator[dict[str, Any]]:
    # Each process loads all that its case needs, asv's setup_cache included.
    os.environ.pop(SHARED, None)
    # The memory pass measures with modules of its own.
    import_installed(["harness.measure.server"])
    # A child lacks the threads that a topic's import has started, so such a topic is imported anew for each case.
    forks = hasattr(os, "fork") and psutil.Process().num_threads() == 1
    for line in requests:
        asked = msgspec.json.decode(line, type=LoadsTask)
        answered = mmap.mmap(-1, 1)  # shared with the child
        child = watch.fork(asked.trees) if forks else 0
        if not child:
            loaded = _run_once(asked, watch, registry)
            # What a case has started is killed with this process, before the next case.
            yield {**msgspec.to_builtins(loaded), "next": forks and not loaded.unsure}
            answered[0] = 1
            return
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if not answered[0]:
            # This process ends as its child did: then the gate says what it says of any process that ended.
            if code >= 0:
                os._exit(code)
            yield {"error": f"killed by {signal.Signals(-code).name}", "usage": False, "unable": False}
            return


def _run_once(asked: LoadsTask, watch: Watch, registry: Registry) -> Loaded:
    job = _ready(Job.of(asked.trial, registry, []))
    import_installed(job.topic.needs)
    data = job.prepare()
    output, _ = _call(job, job.problem(data), 1, {})
    job.judge(data, output)
    return watch.loaded(asked.trees)


def _call(job: Job, problem: Problem, count: int, passes: Mapping[str, int]) -> tuple[Any, dict[str, Any]]:
    """Call the strategy some times; return its last output and the answer, with the times of each phase."""
    output: Any = None
    times: dict[str, list[float]] = {}
    passed: dict[str, int] = {}
    for _ in range(count):
        output = None
        gc.collect()
        clock = PhaseClock(
            job.task.phases,
            open_device(job.strategy.device),
            lambda *_: None,
            setup=job.task.setup,
            repeat=False,
            passes=passes,
        )
        output = job.call(problem, clock)
        passed |= clock.passed
        for phase, measured in clock.figures.items():
            loop_s = clock.passed.get(phase, 0) * _loop_s()
            sums = times.setdefault(phase, [0.0, 0.0])
            sums[0] += max(sum(measured.wall_s) - loop_s, 0.0)
            sums[1] += max(sum(measured.cpu_s) - loop_s, 0.0)
            if measured.calls > 1:  # a benchmark of another tool, which makes a batch by itself
                passed[phase] = measured.calls
    return output, {"times": times} | ({"passes": passed, "loop_s": _loop_s()} if passed else {})


@cache
def _loop_s() -> float:
    """Return the seconds of a pass through an empty ``for`` statement of a phase, the least of some tries."""
    tries = []
    for _ in range(_LOOPS):
        clock = PhaseClock(["loop"], Cpu(), lambda *_: None, repeat=False, passes={"loop": _LOOPED})
        for _ in clock("loop"):
            pass
        tries.append(clock.figures["loop"].wall_s[0])
    return min(tries) / _LOOPED


def _digest_of(output: Any) -> str:
    """Return a digest of all numbers within an output; empty if the output contains objects of other kinds."""
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
        raise TypeError("not an array of numbers")
    update(f"{array.dtype.str}{array.shape}".encode())
    update(array.tobytes())


def _write_examples(judgement: Judgement, path: str) -> None:
    """Write what the judgement says of each example, if the task says it and the gate asks for it."""
    if not path:
        return
    arrays: dict[str, Any] = {}
    for name, examples in judgement.examples.items():
        arrays[f"{name}.values"] = np.asarray(examples.values)
        if examples.labels is not None:
            arrays[f"{name}.labels"] = np.asarray(examples.labels)
    if arrays:
        np.savez(path, **arrays)


if __name__ == "__main__":
    main()
