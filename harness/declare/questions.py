"""The questions that claims ask: a quantity, strategies and cells; and the evidence that makes them from calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from harness.declare import CLEAN, Claim, Param, Strategy, Task, Topic
from harness.declare.evidence import Sizes, TwoValues, Verdict
from harness.errors import UsageError, did_you_mean
from harness.records import TOTALS, Cell, Scalar, is_cost, label, parse_label, typed

Kind: TypeAlias = Literal["ratio", "difference", "mean", "growth", "speedup", "slope", "crossover", "order"]

PLACES = ("task", "dataset", "scenario")
SCENARIO = "scenario"


@dataclass(frozen=True)
class Question:
    """One question to the evidence.

    Attributes
    ----------
    labels
        The strategies that are compared, the numerator first; empty for all strategies.
    where
        Values that the cells must have; the scenario is always one of them, unless it varies.
    over
        The parameter, or ``scenario``, that varies, and its values; no values when all measured ones count.
    """

    kind: Kind
    measure: str
    labels: tuple[str, ...]
    where: dict[str, Scalar]
    over: str = ""
    values: tuple[Scalar, ...] = ()

    @property
    def is_ratio(self) -> bool:
        """Whether the answer is a ratio."""
        return self.kind in ("ratio", "growth", "speedup")

    @property
    def least_sizes(self) -> int:
        """How many sizes a line or a law needs; with two, the fixed part of a cost would count as slower growth."""
        return 3 if self.kind == "slope" and is_cost(self.measure) else 2

    @property
    def in_logs(self) -> bool:
        """Whether measures enter as logarithms."""
        return self.kind not in ("difference", "mean") and (self.kind != "order" or is_cost(self.measure))

    def covers(self, cell: Cell) -> bool:
        """Return whether the question is about a cell."""
        if not all(value_of(cell, name) == value for name, value in self.where.items()):
            return False
        value = value_of(cell, self.over) if self.over else ""
        return value is not None and (not self.values or value in self.values)


def value_of(cell: Cell, name: str) -> Scalar | None:
    """Return a cell's task, data set, scenario or parameter; ``None`` where it has no such parameter."""
    return getattr(cell, name) if name in PLACES else dict(cell.params).get(name)


def put(
    topic: Topic,
    kind: Kind,
    measure: str,
    labels: Iterable[str],
    where: dict[str, Scalar],
    over: str | tuple[str, *tuple[Scalar, ...]] = "",
) -> Question:
    """Make a question of what an author wrote.

    Raises
    ------
    UsageError
        When the topic has no such strategy, option or measure, or the question makes no sense.
    """
    name, *values = (over,) if isinstance(over, str) else over
    if name in where or len(set(values)) < len(values) or len(values) == 1:
        raise UsageError(f"a question over {name} needs different values of it, and none beside them")
    if kind in ("slope", "crossover"):
        values = sorted(check_size(kind, name, value) for value in values)
    if kind in ("difference", "mean") and is_cost(measure):
        raise UsageError(f"{measure} is a cost: ask for its ratio")
    if kind == "crossover" and not is_cost(measure):
        raise UsageError(f"{measure} is not a cost: a crossover compares costs")
    known = {SCENARIO: CLEAN.name} if name != SCENARIO else {}
    written = tuple(_known(text, topic, where.get("task")) for text in labels)
    question = Question(kind, measure, written, {**known, **where}, name, tuple(values))
    if values and len(values) < question.least_sizes:
        raise UsageError(f"part of {measure} may be fixed: its {kind} needs {question.least_sizes} values of {name}")
    tasks_for(question, topic)
    return question


def check_size(kind: Kind, name: str, value: Scalar) -> float:
    """Return a value that a line can be drawn over.

    Raises
    ------
    UsageError
        When it is not a positive number.
    """
    if isinstance(value, str | bool) or not value > 0:
        raise UsageError(f"{name}={typed(value)} is not a size: a {kind} needs positive numbers")
    return value


def tasks_for(question: Question, topic: Topic) -> list[Task]:
    """Return the tasks that have all strategies of a question, and its measure.

    Raises
    ------
    UsageError
        When there is none.
    """
    named = question.where.get("task")
    names = {parse_label(text)[0] for text in question.labels}
    tasks = [task for name, task in topic.tasks.items() if named in (None, name) and names <= set(task.strategies)]
    if not tasks:
        raise UsageError(f"no task of {topic.name} has {' and '.join(sorted(names)) or repr(named)}")
    known = [name for task in tasks for name in measures(task)]
    if question.measure not in known:
        raise UsageError(f"{topic.name} measures no {question.measure!r}{did_you_mean(question.measure, known)}")
    return [task for task in tasks if question.measure in measures(task)]


def measures(task: Task) -> list[str]:
    """List what can be measured of a strategy of a task."""
    phases = [f"{phase}.{figure}" for phase in task.phases for figure in (*TOTALS, "held_bytes")]
    return [*TOTALS, *phases, *(metric.name for metric in task.metrics), *task.altered_metrics]


def _known(text: str, topic: Topic, named: Scalar | None) -> str:
    """Write a label as records do, without options at their defaults; tasks may differ in the options of a strategy."""
    name, given = parse_label(text)
    strategies: dict[str, Strategy] = {}
    for task in [topic.tasks[named]] if named in topic.tasks else topic.tasks.values():
        strategies = {**task.strategies, **strategies}
    if name not in strategies:
        raise UsageError(f"{topic.name} has no strategy {name!r}{did_you_mean(name, strategies)}")
    options = strategies[name].options
    for option in given:
        if option not in options:
            raise UsageError(f"strategy {name} has no option {option!r}{did_you_mean(option, options)}")
    try:
        typed = {option: Param(options[option]).check(option, value) for option, value in given.items()}
    except ValueError as error:
        raise UsageError(f"strategy {name}: {error}") from None
    return label(name, {option: value for option, value in typed.items() if value != options[option]})


class _Comparable(Protocol):
    """What a check compares with its bounds; the author's view is `harness.declare.evidence.Estimate`."""

    def at_least(self, bound: float) -> Verdict: ...

    def at_most(self, bound: float) -> Verdict: ...

    def within(self, margin: float, of: float | None = None) -> Verdict: ...


Answered = TypeVar("Answered", bound=_Comparable)


class Asking(ABC, Generic[Answered]):
    """The evidence that a claim's check is given; it turns every call into a `Question` and returns the answer.

    The methods are documented by `harness.declare.evidence.Evidence`.
    """

    def __init__(self, topic: Topic) -> None:
        self._topic = topic

    @abstractmethod
    def answer(self, question: Question) -> Answered:
        """Answer a question."""

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("ratio", measure, (of, to), where)

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("difference", measure, (of, to), where)

    def mean(self, measure: str, of: str, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("mean", measure, (of,), where)

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:  # noqa: D102
        return (self.ratio if is_cost(measure) else self.difference)(measure, of, to, **where).within(margin)

    def growth(self, measure: str, of: str, to: str, over: TwoValues, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("growth", measure, (of, to), where, over)

    def speedup(self, measure: str, of: str, over: TwoValues, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("speedup", measure, (of,), where, over)

    def slope(  # noqa: D102
        self, measure: str, of: str, to: str | None = None, /, *, over: Sizes = "rows", **where: Scalar
    ) -> Answered:
        return self._ask("slope", measure, (of,) if to is None else (of, to), where, over)

    def crossover(self, measure: str, of: str, to: str, *, over: Sizes = "rows", **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("crossover", measure, (of, to), where, over)

    def order(self, measure: str, over: TwoValues, **where: Scalar) -> Answered:  # noqa: D102
        return self._ask("order", measure, (), where, over)

    def _ask(
        self, kind: Kind, measure: str, labels: tuple[str, ...], where: dict[str, Scalar], over: Sizes = ""
    ) -> Answered:
        return self.answer(put(self._topic, kind, measure, labels, where, over))


class _Unanswered:
    """An estimate of something that was not measured."""

    def at_least(self, bound: float) -> Verdict:  # noqa: ARG002
        return "not measured"

    def at_most(self, bound: float) -> Verdict:  # noqa: ARG002
        return "not measured"

    def within(self, margin: float, of: float | None = None) -> Verdict:  # noqa: ARG002
        return "not measured"


class _Listing(Asking[_Unanswered]):
    def __init__(self, topic: Topic) -> None:
        super().__init__(topic)
        self.asked: list[Question] = []

    def answer(self, question: Question) -> _Unanswered:
        self.asked.append(question)
        return _Unanswered()


def questions(topic: Topic) -> list[tuple[Claim, Question]]:
    """Return what the claims of a topic ask, in their order; a claim whose check fails asks nothing more."""
    asked: list[tuple[Claim, Question]] = []
    for claim in topic.claims:
        listing = _Listing(topic)
        # What is wrong with a check is said where the claim is judged.
        with suppress(Exception):
            claim.check(listing)
        asked += [(claim, question) for question in listing.asked]
    return asked
