"""Questions and answers in words, and the commands that measure them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.analysis.aggregates import CellAggregate
from harness.claims.answers import Answer
from harness.declare import Task, Topic
from harness.declare.questions import PLACES, SCENARIO, Question, tasks_for, value_of
from harness.plan import selection
from harness.records import Cell, Scalar, is_cost, parse_label, typed
from harness.stats.paired import Interval


def asked(question: Question) -> str:
    """Say which quantity a question is about; the text of a difference begins with that word."""
    measure, names = question.measure, " to ".join(question.labels)
    of = f"{measure} of {names}" if len(question.labels) == 1 else f"the ratio of {measure}, {names}"
    ends = [f"{question.over}={typed(value)}" for value in question.values]
    sizes = f"{question.over} {','.join(map(typed, question.values))}" if ends else question.over
    return {
        "ratio": f"ratio of {measure}, {names}",
        "difference": f"difference in {measure}, {' minus '.join(question.labels)}",
        "mean": f"mean of {measure}, {names}",
        "growth": f"factor on the ratio of {measure}, {names}, from {' to '.join(ends)}",
        "speedup": f"ratio of {measure} of {names}, {' to '.join(ends)}",
        "slope": f"exponent of {of} in {sizes}" + (", beside a fixed cost" if is_cost(measure) else ""),
        "crossover": f"{question.over} from which on {' has less '.join(question.labels)} in {measure}",
        "order": f"rank correlation of strategies by {measure}, {' against '.join(ends)}",
    }[question.kind]


def number(value: float) -> str:
    """Write a bound as figures are written: 3, 0.6667, 100,000."""
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.4g}"
    return text.replace("-", "\u2212")


def scope(question: Question, found: Answer, topic: Topic) -> str:
    """Say for which data and machine an answer is valid; without an answer, for which it was looked for."""
    if found.interval is None:
        wanted: dict[str, list[Scalar]] = {name: [value] for name, value in question.where.items()}
        if question.over:
            wanted[question.over] = list(question.values) or ["any"]
        return _place(wanted)
    measured = _measured(question, found)
    if len(topic.tasks) == 1:
        del measured["task"]
    text = _place(measured)
    if len(found.contexts) > 1:
        text = f"mean over {len(found.contexts)} cells of {text}"
    if found.left:
        text += f" (not {found.left} more cells, measured in other blocks)"
    named = [parse_label(label)[0] for label in question.labels or found.labels]
    strategies = topic.tasks[found.contexts[0].task].strategies if found.contexts[0].task in topic.tasks else {}
    devices = sorted({strategies[name].device for name in named if name in strategies})
    text += f", on {found.machine}" + (f" ({' and '.join(devices)})" if devices else "")
    return text + (f", of {found.machines} machines the one with the most blocks" if found.machines > 1 else "")


def command(question: Question, found: Answer, topic: Topic, least_blocks: int | None = None) -> str:
    """Write the command that measures an answer, with all strategies in the same blocks.

    Parameters
    ----------
    least_blocks
        How many blocks the claim needs; by default those of its task's full profile.
    """
    tasks = tasks_for(question, topic)
    task = next((task for task in tasks if found.contexts and task.name == found.contexts[0].task), tasks[0])
    labels = question.labels or found.labels
    measured = _measured(question, found)
    for name, value in question.where.items():
        measured.setdefault(name, [value])
    if question.over:
        measured.setdefault(question.over, list(question.values or task.sweep.get(question.over, ())))
    settings = {
        name: values
        for name, values in sorted(measured.items())
        if name not in PLACES and values and (name in {question.over, *question.where} or _departs(task, name, values))
    }
    blocks = found.interval.blocks if found.interval is not None and _decides(found.interval) else 0
    enough = blocks and blocks >= (least_blocks or 0)
    strategies = list(dict.fromkeys(parse_label(label)[0] for label in labels))
    return selection.command(
        task.full_name,
        strategies=strategies or (["*"] if task.not_quick else []),
        datasets=[str(value) for value in measured.get("dataset", ())],
        scenarios=[str(value) for value in measured[SCENARIO]],
        values=settings | _options(task, labels),
        blocks=blocks if enough else least_blocks or task.full.blocks,
        stress=question.measure in task.altered_metrics,
    )


def _decides(interval: Interval) -> bool:
    """Return whether as many blocks answer the question again: they have an interval, or are all equal."""
    return interval.known or interval.same


def missing(question: Question, aggregates: Sequence[CellAggregate], topic: Topic) -> str:
    """Say what is missing for an answer: the first thing asked for that no trial has."""
    own = {task.name for task in tasks_for(question, topic)}
    cells = [cell for cell in aggregates if cell.cell.task in own]
    wanted: dict[str, list[Scalar]] = {name: [value] for name, value in question.where.items()}
    if question.over:
        wanted[question.over] = list(question.values)
    if not cells:
        return f"there are no trials of {topic.name}"
    for name in sorted(wanted, key=lambda name: (PLACES.index(name) if name in PLACES else len(PLACES), name)):
        known = {value: None for cell in cells if (value := value_of(cell.cell, name)) is not None}
        lacking = [value for value in wanted[name] if value not in known]
        if lacking or not known:
            there = f"; there are {_listed(known)}" if known else ""
            return f"no trial with {name}={' or '.join(map(typed, lacking)) or 'any'}{there}"
        cells = [cell for cell in cells if not wanted[name] or value_of(cell.cell, name) in wanted[name]]
    lacking_all = "both" if len(question.labels) == 2 and not question.over else "all that is asked"
    if question.kind in ("slope", "crossover") and not question.values:
        lacking_all = f"{question.least_sizes} values of {question.over}"
    reasons = (_lacks(label, question, cells) for label in question.labels)
    return next(filter(None, reasons), f"no block has {lacking_all}")


def _lacks(label: str, question: Question, cells: Sequence[CellAggregate]) -> str:
    entries = [cell.entries[label] for cell in cells if label in cell.entries]
    if not entries:
        return f"{label} was not run there"
    if any(question.measure in entry.values for entry in entries):
        return ""
    troubles = sum((entry.troubles for entry in entries), type(entries[0].troubles)())
    if not troubles:
        return f"{question.measure} of {label} was not measured"
    ((status, reason), _), *_ = troubles.most_common(1)
    return f"{label} has no result: {status}" + (f" ({reason})" if reason else "")


def _listed(values: Iterable[Scalar], most: int = 5) -> str:
    known = [typed(value) for value in values]
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")


def _place(values: Mapping[str, Sequence[Scalar]]) -> str:
    named = [" and ".join(map(typed, values[name])) for name in PLACES if name in values]
    params = {name: own for name, own in sorted(values.items()) if name not in PLACES}
    text = " ".join(f"{name}={','.join(map(typed, own))}" for name, own in params.items())
    return ", ".join(named) + (f" ({text})" if text else "")


def _measured(question: Question, found: Answer) -> dict[str, list[Scalar]]:
    """Return the places and parameters of an answer with their values."""
    values: dict[str, dict[Scalar, None]] = {}
    for context in found.contexts:
        for name, value in _parts(context):
            if name != question.over:
                values.setdefault(name, {})[value] = None
    if question.over and found.values:
        values[question.over] = dict.fromkeys(found.values)
    return {name: list(known) for name, known in values.items()}


def _parts(context: Cell) -> list[tuple[str, Scalar]]:
    return [*((name, getattr(context, name)) for name in PLACES), *context.params]


def _departs(task: Task, name: str, values: Sequence[Scalar]) -> bool:
    """Return whether values differ from the defaults of the command; defaults of a data set are not known here."""
    param = task.params.get(name)
    return param is None or list(values) != [task.quick.params.get(name, param.default)]


def _options(task: Task, labels: Sequence[str]) -> dict[str, list[Scalar]]:
    """Return the option values that all labels need; a strategy whose label lacks an option uses its default."""
    given = [(task.strategies[name].options, own) for name, own in map(parse_label, labels) if name in task.strategies]
    names = dict.fromkeys(name for _, own in given for name in own)
    return {
        name: list(dict.fromkeys(own.get(name, known[name]) for known, own in given if name in known)) for name in names
    }
