"""What a run says at its end: what to take for each task, what is not settled, and where to see more.

A run of one topic has some lines for each task. A run of several has one line for each, at most 40 in all. A run in
which nothing finished has only the reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, get_args

from harness.analysis import wording
from harness.analysis.recommendation import ANSWERED
from harness.cli.task_summary import INDENT, TaskSummary, trouble, wait
from harness.records import Status
from harness.report.terminal import Column, Fitted, Styled, fit, hanging, joined, table_lines

if TYPE_CHECKING:
    from rich.text import Text

    from harness.analysis.run_set import RunSet

MOST_LINES = 40
# Both tables have columns of this width, so that they are aligned.
_NAME, _STRATEGY = 28, 20


def summary(run_set: RunSet, width: int, *, took_s: float | None = None, run: str = "") -> list[Text]:
    """Return the lines of the summary of a run.

    Parameters
    ----------
    took_s
        Seconds that the run took; ``None`` if it was measured in several parts.
    run
        Name of the run in the commands that show more; empty for the latest one.
    """
    tasks = [TaskSummary(name, run_set) for name in run_set.tasks()]
    head = hanging("", _head(tasks, run_set, took_s), width, indent=0)
    if not any(task.advice.take for task in tasks):
        return [*head, joined(""), *_troubles(tasks, width)]
    more = _more(tasks, width, run)
    if len({task.topic for task in tasks}) > 1:
        troubles = _troubles(tasks, width)
        # Two empty lines, and the line that says where the run was written.
        around = len(head) + len(troubles) + len(more) + 3
        body = [*_one_line_each(tasks, width, MOST_LINES - around), *troubles]
    else:
        body = list(chain.from_iterable([*task.lines(width), joined("")] for task in tasks))[:-1]
    return [*head, joined(""), *body, joined(""), *more]


def _troubles(tasks: Sequence[TaskSummary], width: int) -> list[Text]:
    text = trouble(tasks)
    return hanging(Styled("trouble", "red"), text, width, indent=INDENT) if text else []


def _head(tasks: Sequence[TaskSummary], run_set: RunSet, took_s: float | None) -> str:
    statuses: Counter[Status] = sum((tally.statuses for tally in run_set.tallies), Counter())
    took = "" if took_s is None else f" in {wording.duration(took_s)}"
    counts = ", ".join(f"{statuses[status]} {status}" for status in get_args(Status) if status in statuses)
    ended = "" if set(statuses) <= {"ok"} else f" ({counts})"
    trials = f"{wording.count(statuses.total(), 'trial')}{took}{ended}"
    return "; ".join(filter(None, (trials, wording.settled(Counter(task.found.state for task in tasks)))))


def _one_line_each(tasks: Sequence[TaskSummary], width: int, room: int) -> list[Text]:
    """Return a line for each task, the settled ones first; tasks that have no room are only named."""
    settled = [task for task in tasks if task.found.state in ANSWERED]
    undecided = [task for task in tasks if task.found.state == "open"]
    single = [task for task in tasks if task.found.state == "none"]
    lines: list[Text] = []
    for shown in range(len(settled) + len(undecided), -1, -1):
        first, last = settled[:shown], undecided[: max(0, shown - len(settled))]
        tables = [fit(columns, width) for columns in (_settled(first), _undecided(last)) if columns[0].cells]
        lines = [
            *chain.from_iterable(table_lines(table, rule="") for table in tables),
            *_named("settled too" if first else "settled", settled[len(first) :], width),
            *_named("open too" if last else "open", undecided[len(last) :], width),
            *_named("no choice", single, width),
            *_left_out(tables, width),
        ]
        if len(lines) <= room:
            break
    return lines


def _settled(tasks: Sequence[TaskSummary]) -> list[Column]:
    return [
        Column("settled", [task.name.ljust(_NAME) for task in tasks], 0, "label"),
        Column("take", [task.advice.take.ljust(_STRATEGY) for task in tasks], 1, "label"),
        Column("CPU", [task.cpu for task in tasks], 2),
        Column("memory", [task.memory for task in tasks], 4),
        Column("quality", [task.quality for task in tasks], 3, "label"),
    ]


def _undecided(tasks: Sequence[TaskSummary]) -> list[Column]:
    return [
        Column("open", [Styled(task.name.ljust(_NAME), "yellow") for task in tasks], 0, "label"),
        Column("leads", [task.advice.take.ljust(_STRATEGY) for task in tasks], 1, "label"),
        Column("to settle", [task.wait for task in tasks], 2, "label"),
        Column("may be better", [task.rivals for task in tasks], 3, "label"),
    ]


def _left_out(tables: Sequence[Fitted], width: int) -> list[Text]:
    """Name the columns for which there is no room."""
    names = dict.fromkeys(column.heading for table in tables for column in table.left_out)
    needed = max((table.needed for table in tables), default=0)
    text = f"a wider terminal (COLUMNS={needed}) shows {', '.join(names)} too"
    return hanging("", text, width, indent=0) if names else []


def _named(label: str, tasks: Sequence[TaskSummary], width: int) -> list[Text]:
    return hanging(label, ", ".join(task.name for task in tasks), width, indent=INDENT) if tasks else []


def _more(tasks: Sequence[TaskSummary], width: int, run: str) -> list[Text]:
    """Say which commands show more, settle what is open, and measure what was left out."""
    rows = [
        (f"bakeoff show {run}", "tables with intervals"),
        (f"bakeoff report {run}", "one page with charts, claims and failures"),
    ]
    undecided = [task for task in tasks if task.found.state == "open"]
    if any(task.advice.seconds is not None for task in undecided):
        rows.append((f"bakeoff settle {run}", _forecast(undecided)))
    if any(task.blocks == 1 for task in undecided):
        rows.append(("bakeoff run TASK --blocks 3", "one block settles nothing"))
    if left_out := sum(len(task.info.card.left_out) for task in tasks):
        rows.append(("bakeoff run TASK -s '*'", f"also the {left_out} strategies that the quick profile leaves out"))
    indent = max(len(command) for command, _ in rows) + 2
    return [line for command, text in rows for line in hanging(command, text, width, indent=indent)]


def _forecast(undecided: Sequence[TaskSummary]) -> str:
    """Say how long it is expected to take until the open tasks are settled, and how many are out of reach."""
    known = [task.advice.seconds for task in undecided if task.advice.seconds is not None]
    text = f"goes on with what is open, {wait(sum(low for low, _ in known), sum(high for _, high in known))}"
    far = len(undecided) - len(known)
    return f"{text}; {wording.count(far, 'task')} out of reach" if far else text
