"""Margins of figures that nothing has: a typing error would leave the gate at its default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.declare import Topic
from harness.errors import UsageError, did_you_mean
from harness.gate.policy import Policy
from harness.trial import TOTALS, Record


def check_margins(policy: Policy, topics: Iterable[Topic], records: Iterable[Record] = ()) -> None:
    """Check that every margin names a figure that a declared topic or one of the records has.

    Raises
    ------
    UsageError
        For the first that does not.
    """
    known: dict[str, set[str]] = {}
    for topic, figure in (*_declared(topics), *_recorded(records)):
        known.setdefault(topic, set(TOTALS)).add(figure)
    for name in policy.margins:
        topic, _, figure = name.rpartition(":")
        if topic and topic not in known:
            raise UsageError(
                f"margin {name} of the gate's policy: no topic is called {topic}{did_you_mean(topic, known)}"
            )
        names = known[topic] if topic else {figure for figures in known.values() for figure in figures}
        if figure not in names:
            whose = f"topic {topic} has" if topic else "no topic has"
            what = "no figure" if topic else "a figure"
            raise UsageError(
                f"margin {name} of the gate's policy: {whose} {what} {figure}{did_you_mean(figure, names)}"
            )


def _declared(topics: Iterable[Topic]) -> Iterator[tuple[str, str]]:
    for topic in topics:
        for task in topic.tasks.values():
            yield from _figures(topic.name, task.phases, [metric.name for metric in task.metrics])


def _recorded(records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        yield from _figures(record.trial.topic, record.phases, record.metrics)


def _figures(topic: str, phases: Iterable[str], metrics: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from ((topic, f"{phase}.{time}") for phase in phases for time in ("cpu_s", "wall_s"))
    yield from ((topic, metric) for metric in metrics)
