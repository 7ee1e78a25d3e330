"""From an output to its judgement: the task's metrics, those of altered test sets, and a guess for what diverged."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.declare import Judgement, Outputs, Task
from harness.declare.values import DIVERGED, Summed
from harness.errors import InvalidOutputError
from harness.records import LARGEST, Curve

_NONE: Mapping[str, Any] = MappingProxyType({})
#: Points of a curve that a record has; more are thinned, since a page draws fewer.
MOST_POINTS = 1_000
_REPR_LENGTH = 60


@dataclass(frozen=True)
class Diverged:
    """What stands in for the output of a strategy that raised `DivergedError`."""

    step: float


def judge(task: Task, data: Any, output: Any, altered: Mapping[str, Any] = _NONE) -> Judgement:
    """Judge the output of a strategy, and its outputs for altered test sets if it returned them.

    Parameters
    ----------
    altered
        Altered data that were handed out, by the name of the test set.

    Returns
    -------
    Judgement
        With all metrics of the task that the data define and no others, ``diverged`` among them if the task has a
        guess, and the number of cases of each rate; a trial is one case of ``diverged``. A trial that diverged has the
        guess's metrics, on altered test sets too, except for finite ones that the judge gave; no examples or numbers of
        other cases, and curves up to that step.

    Raises
    ------
    InvalidOutputError
        When altered outputs do not match what was handed out, the judge or the guess returned something else than it
        must, a metric or a point of a curve is not a finite number, a curve's lines differ in length, a rate is outside
        of 0 to 1 or has no number of cases, or training diverged and the task has no guess.
    """
    plain, others = _divided(output, altered)
    judgement = _judged(task, data, plain)
    if judgement.diverged is not None:
        others = dict.fromkeys(altered, Diverged(judgement.diverged))
    parts = {name: _judged_altered(task, name, altered[name], part) for name, part in others.items()}
    metrics, n = dict(judgement.metrics), dict(judgement.n)
    for name, (metric, stress, level) in task.altered_metrics.items():
        if isinstance(level, str):
            curve = {at: parts[key].metrics[metric.name] for at in stress.levels if (key := stress.key(at)) in parts}
            if len(curve) == len(stress.levels):
                metrics[name] = _summed(curve, level)
        elif (part := parts.get(stress.key(level))) is not None:
            metrics[name] = part.metrics[metric.name]
            if metric.name in part.n:
                n[name] = part.n[metric.name]
    return replace(judgement, metrics=metrics, n=n)


def _summed(curve: Mapping[float, float], how: Summed) -> float:
    """Sum up a metric by level: its mean by the trapezoid rule, or its change from the first level to the last."""
    levels = sorted(curve)
    values = [curve[level] for level in levels]
    if how == "change":
        return values[-1] - values[0]
    return float(np.trapezoid(values, levels)) / (levels[-1] - levels[0])


def _divided(output: Any, altered: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Divide what a strategy returned into its plain output and those for altered test sets."""
    if not isinstance(output, Outputs):
        return output, {}
    others: object = output.altered
    if not isinstance(others, Mapping):
        raise InvalidOutputError(f"Outputs.altered is a {type(others).__name__}; it must map each name to an output")
    missing = [name for name in altered if name not in others]
    unknown = [str(name) for name in others if name not in altered]
    if missing:
        raise InvalidOutputError(f"Outputs.altered lacks {', '.join(missing)}; predict all of problem.altered, or none")
    if unknown:
        raise InvalidOutputError(f"Outputs.altered has {', '.join(unknown)}, which problem.altered does not have")
    return output.plain, others


def _judged_altered(task: Task, name: str, data: Any, output: Any) -> Judgement:
    try:
        return _judged(task, data, output)
    except InvalidOutputError as error:
        raise InvalidOutputError(f"altered test set {name}: {error}") from None


def _judged(task: Task, data: Any, output: Any) -> Judgement:
    if isinstance(output, Diverged):
        return _guessed(task, data, output.step)
    judgement: object = task.judge(data, output)
    if not isinstance(judgement, Judgement):
        raise InvalidOutputError(f"the judge returned {type(judgement).__name__}; it must return a Judgement")
    if judgement.diverged is not None:
        return _guessed(task, data, judgement.diverged, judgement.metrics, judgement.curves)
    metrics = _finite(task, judgement.metrics, "metric", judgement.undefined)
    curves = _curves(judgement.curves)
    for name, curve in curves.items():
        for number, point in enumerate(zip(*filter(None, _lines(curve)), strict=True), start=1):
            if not all(map(math.isfinite, point)):
                raise InvalidOutputError(
                    f"curve {name} has {', '.join(f'{value:g}' for value in point)} as point {number}"
                )
    n = {
        metric.name: _cases(metric.name, judgement) for metric in task.metrics if metric.rate and metric.name in metrics
    }
    if task.guess is not None:
        metrics, n = {**metrics, DIVERGED: 0.0}, {**n, DIVERGED: 1}
    return replace(judgement, metrics=metrics, n=n, curves=curves)


def thinned(curves: Mapping[str, Curve]) -> tuple[dict[str, Curve], str]:
    """Thin curves of very many points evenly, their first and last ones included, and say so.

    Returns
    -------
    curves
        Those of at most `MOST_POINTS` points each.
    remark
        Which ones were thinned; empty without any.
    """
    made, remarks = {}, []
    for name, curve in curves.items():
        made[name] = curve
        if len(curve.x) > MOST_POINTS:
            chosen = np.linspace(0, len(curve.x) - 1, MOST_POINTS).round().astype(int)
            made[name] = Curve(*([line[place] for place in chosen] if line else [] for line in _lines(curve)))
            remarks.append(f"curve {name} has {len(curve.x):,} points, of which {MOST_POINTS:,} are recorded")
    return made, "; ".join(remarks)


def _cases(name: str, judgement: Judgement) -> int:
    """Return the number of cases of a rate."""
    value, cases = float(judgement.metrics[name]), _mapping(judgement.n, "numbers of cases").get(name)
    if not 0 <= value <= 1:
        raise InvalidOutputError(f"metric {name} is {value:g}; a rate lies between 0 and 1")
    if not isinstance(cases, int | np.integer) or isinstance(cases, bool) or cases < 0:
        said = "missing" if cases is None else repr(cases)
        raise InvalidOutputError(f"metric {name} is a rate, but its n is {said}; Judgement.n needs the number of cases")
    return int(cases)


def _guessed(
    task: Task, data: Any, step: float, known: Mapping[str, float] = _NONE, curves: Mapping[str, Curve] = _NONE
) -> Judgement:
    """Return the judgement of the task's guess, for training that diverged at a step.

    Metrics that are known and finite replace those of the guess.
    """
    step = _number("the step at which training diverged", step)
    if task.guess is None:
        raise InvalidOutputError(
            f"training diverged at step {step:g}, and task {task.full_name} has no guess whose metrics count then: "
            "declare guess= in topic.task"
        )
    if not math.isfinite(step):
        raise InvalidOutputError(f"training diverged at step {step}: the step must be a finite number")
    numbers = {name: _number(f"metric {name}", value) for name, value in _mapping(known, "metrics").items()}
    finite = {name: value for name, value in numbers.items() if abs(value) <= LARGEST}
    metrics = {**_finite(task, {**task.guess(data), **finite}, "the guess's metric"), DIVERGED: 1.0}
    cut = {name: _until(step, curve) for name, curve in _curves(curves).items()}
    kept = {name: curve for name, curve in cut.items() if curve.x}
    return Judgement(metrics, kept, n={DIVERGED: 1}, diverged=step)


def _finite(task: Task, given: Mapping[str, float], what: str, undefined: Collection[str] = ()) -> dict[str, float]:
    """Return the declared ones of some metrics, all of which must be finite numbers unless they are undefined."""
    left_out = {*undefined, *(() if task.guess is None else (DIVERGED,))}
    names = [metric.name for metric in task.metrics if metric.name not in left_out]
    numbers = {}
    for name in names:
        if name not in _mapping(given, "metrics"):
            # A judge may serve several tasks and give more metrics than one declares; a misspelt one is named.
            unknown = [str(other) for other in given if other not in names]
            raise InvalidOutputError(f"{what} {name} is missing{'; there is ' if unknown else ''}{', '.join(unknown)}")
        numbers[name] = _number(f"{what} {name}", given[name])
        if not abs(numbers[name]) <= LARGEST:  # as runs are read; nor is NaN
            raise InvalidOutputError(f"{what} {name} is {numbers[name]}")
    return numbers


def _mapping(given: object, what: str) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise InvalidOutputError(f"the judge's {what} are {_shown(given)}, which is not a mapping by name")
    return given


def _number(what: str, value: object) -> float:
    """Return a number as Python's own, whatever library's it is."""
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "biuf":
        raise InvalidOutputError(f"{what} is {_shown(value)}, which is not a number")
    return float(array)


def _curves(given: object) -> dict[str, Curve]:
    """Return curves by their names with lists of Python's own numbers."""
    curves = {}
    for name, curve in _mapping(given, "curves").items():
        if not isinstance(curve, Curve):
            raise InvalidOutputError(f"curve {name} is {_shown(curve)}, which is not a Curve")
        lines = [_line(name, values) for values in _lines(curve)]
        counts = [len(values) for values in lines]
        if counts not in ([counts[0]] * 4, [counts[0]] * 2 + [0, 0]):
            said = ", ".join(f"{count:,}" for count in counts)
            raise InvalidOutputError(f"curve {name}: x, y, low and high have {said} points; all must have as many")
        curves[str(name)] = Curve(*lines)
    return curves


def _line(name: object, values: object) -> list[float]:
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biuf"):
        raise InvalidOutputError(f"curve {name} has {_shown(values)} for a line, which is not a list of numbers")
    numbers: list[float] = array.astype(float).tolist()
    return numbers


def _lines(curve: Curve) -> tuple[list[float], ...]:
    return curve.x, curve.y, curve.low, curve.high


def _shown(value: object) -> str:
    said = " ".join(repr(value).split())
    return said if len(said) <= _REPR_LENGTH else f"{said[:_REPR_LENGTH]}..."


def _until(step: float, curve: Curve) -> Curve:
    """Return the finite points of a curve up to a step."""
    lines = [line for line in (curve.x, curve.y, curve.low, curve.high) if line]
    points = [point for point in zip(*lines, strict=True) if point[0] <= step and all(map(math.isfinite, point))]
    return Curve(*(list(line) for line in zip(*points, strict=True))) if points else Curve([], [])
