"""``bakeoff list``: the topics on a screen, what one of them offers, and why a strategy cannot run here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from harness.declare import Dataset, Param, Strategy, Task, Topic
    from harness.registry import Registry

_INDENT = 15
_MOST_REASONS = 3


@click.command("list", short_help="Show topics, tasks, strategies, scenarios and data sets.")
@click.argument("topics", nargs=-1)
@click.option("--claims", is_flag=True, help="Show the declared claims with their sources.")
@json_option
def command(topics: tuple[str, ...], *, claims: bool, as_json: bool) -> None:
    """Show the topics; of a named one its tasks, strategies, scenarios and data sets.

    In a project it shows the topics of the project; name a built-in topic to see it. A strategy that cannot run on this
    machine is shown with the reason. A single topic need not be named.
    """
    from harness.errors import UsageError, did_you_mean
    from harness.registry import load_registry

    registry = load_registry(config())
    for name in topics:
        if name not in registry.topics:
            raise UsageError(f"there is no topic {name!r}{did_you_mean(name, registry.topics)}")
    chosen = [registry.topics[name] for name in dict.fromkeys(topics)] or registry.default_topics()
    others = [name for name, topic in registry.topics.items() if topic not in chosen]
    if as_json:
        print_json([_described(topic, registry) for topic in chosen])
        return
    out = console()
    if topics or claims or len(chosen) == 1:
        for topic in chosen:
            _print_topic(out, topic, registry, claims=claims)
    else:
        _print_overview(out, chosen)
    if others and not topics:
        log().print(f"there are also the topics {', '.join(others)}: bakeoff list TOPIC shows one", soft_wrap=True)


def _print_overview(out: Console, topics: Sequence[Topic]) -> None:
    """Print a line for each topic, what cannot run here, and what to type next."""
    from harness.report.terminal import Column, fit, hanging, print_table

    def columns(titles: Sequence[str]) -> list[Column]:
        return [
            Column("topic", [topic.name for topic in topics], 0, "label"),
            Column("", titles, 1, "label", "title"),
            Column("tasks", [str(len(topic.tasks)) for topic in topics], 2),
            Column("strategies", [str(len(_strategies(topic))) for topic in topics], 3),
            Column("claims", [str(len(topic.claims)) for topic in topics], 4),
        ]

    table = columns([topic.title for topic in topics])
    if fit(table, out.width).left_out:
        table = columns([topic.title.partition(":")[0] for topic in topics])
    print_table(out, table)
    out.print()
    reasons = _cannot_run(topics)
    lines = hanging("cannot run here:", reasons, out.width, indent=18) if reasons else []
    first = topics[0].name
    for command, text in (
        (f"bakeoff list {first}", "its tasks, strategies, scenarios and data sets"),
        (f"bakeoff run {first}", "measure its quick profile"),
    ):
        lines += hanging(command, text, out.width, indent=len(f"bakeoff list {first}  "))
    for line in lines:
        out.print(line, soft_wrap=True)


def _strategies(topic: Topic) -> dict[str, Strategy]:
    """Return the strategies of a topic by name; several tasks may have the same."""
    return {name: strategy for task in topic.tasks.values() for name, strategy in task.strategies.items()}


def _cannot_run(topics: Iterable[Topic]) -> str:
    """Say how many strategies of which topics cannot run here, the most frequent reasons first."""
    from harness.measure.job import why_not

    reasons: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for topic in topics:
        for strategy in _strategies(topic).values():
            if reason := why_not(strategy, topic):
                # Without the command that helps, which each topic's own list has.
                reasons[reason.partition(" (")[0].partition(":")[0]][topic.name] += 1
    ordered = sorted(reasons.items(), key=lambda item: -sum(item[1].values()))
    parts = [
        f"{', '.join(f'{count} of {topic}' for topic, count in counts.items())} ({reason})"
        for reason, counts in ordered[:_MOST_REASONS]
    ]
    if more := sum(sum(counts.values()) for _, counts in ordered[_MOST_REASONS:]):
        parts.append(f"{more} more")
    return "; ".join(parts)


def _print_topic(out: Console, topic: Topic, registry: Registry, *, claims: bool) -> None:
    from harness.report.terminal import Styled, hanging, joined

    out.print(joined(Styled(topic.name, "bold"), f"  {topic.title}"), soft_wrap=True)
    for task in topic.tasks.values():
        out.print()
        label = f"  task {task.name}"
        lines = hanging(Styled(label, "bold"), task.title, out.width, indent=len(label) + 2)
        if quick := [name for name in task.strategies if name not in task.not_quick]:
            lines += _strategy_lines(out, task, topic, quick)
        if task.not_quick:
            lines += [joined("    not in the quick profile:"), *_strategy_lines(out, task, topic, task.not_quick)]
        for name, text in _facts(task, registry):
            lines += hanging(f"    {name}", text, out.width, indent=_INDENT)
        for line in lines:
            out.print(line, soft_wrap=True)
    count = len(topic.claims)
    out.print()
    out.print(f"  {count} claim{'' if count == 1 else 's'}{'' if claims else ' (--claims shows them)'}")
    if claims:
        for claim in topic.claims:
            out.print(joined(f"  - {claim.text} ", Styled(f"({claim.source})", "dim")), soft_wrap=True)
    out.print()


def _strategy_lines(out: Console, task: Task, topic: Topic, names: Sequence[str]) -> Iterator[Text]:
    """Return the lines of some strategies of a task, each with its summary or the reason why it cannot run."""
    from harness.measure.job import why_not
    from harness.report.terminal import Column, Styled, fit, table_lines

    # The summaries of all strategies of the task are aligned.
    width = max(map(len, task.strategies))
    states = [
        Styled(f"cannot run: {reason}", "yellow")
        if (reason := why_not(task.strategies[name], topic))
        else task.strategies[name].summary
        for name in names
    ]
    columns = [
        Column("", [f"      {name:{width}}" for name in names], 0, "label"),
        Column("", states, 1, "text", "summary"),
    ]
    return table_lines(fit(columns, out.width))


def _facts(task: Task, registry: Registry) -> Iterator[tuple[str, str]]:
    """Go through what a task has beside its strategies, as pairs of a word and a text."""
    from harness.analysis.wording import phase

    for dataset in registry.datasets_of(task):
        reason = _unreadable(dataset)
        yield "data set", f"{dataset.name}  {f'cannot be read: {reason}' if reason else dataset.summary}"
    yield "scenarios", ", ".join(scenario.name for scenario in task.scenarios)
    for stress in task.stress:
        yield "stress", f"{stress.name} ({stress.axis}: {', '.join(f'{level:g}' for level in stress.levels)})"
    yield "phases", ", ".join(phase(name, task.setup) for name in task.phases)
    yield "metrics", ", ".join(f"{metric.name} ({metric.direction} is better)" for metric in task.metrics)
    yield "params", ", ".join(f"{name}={_value(param)}" for name, param in task.params.items())


def _value(param: Param) -> str:
    """Write the default, with what else a text can be."""
    others = [choice for choice in param.choices if choice != param.default]
    return f"{param.default} (or {', '.join(others)})" if others else str(param.default)


def _unreadable(dataset: Dataset) -> str:
    from harness.errors import UsageError

    try:
        dataset.verify()
    except UsageError as error:
        return str(error)
    return ""


def _described(topic: Topic, registry: Registry) -> dict[str, Any]:
    from harness.measure.job import why_not

    return {
        "topic": topic.name,
        "title": topic.title,
        "claims": [{"text": claim.text, "source": claim.source} for claim in topic.claims],
        "tasks": [
            {
                "task": task.name,
                "title": task.title,
                "datasets": [
                    {"name": dataset.name, "summary": dataset.summary, "cannot_be_read": _unreadable(dataset)}
                    for dataset in registry.datasets_of(task)
                ],
                "scenarios": [scenario.name for scenario in task.scenarios],
                "stress": [{"name": s.name, "axis": s.axis, "levels": list(s.levels)} for s in task.stress],
                "phases": task.phases,
                "setup": task.setup,
                "metrics": [{"name": m.name, "direction": m.direction, "unit": m.unit} for m in task.metrics],
                "params": {name: param.default for name, param in task.params.items()},
                "strategies": [
                    {
                        "name": strategy.name,
                        "summary": strategy.summary,
                        "note": strategy.note,
                        "device": strategy.device,
                        "options": dict(strategy.options),
                        "quick": strategy.name not in task.not_quick,
                        "cannot_run": why_not(strategy, topic),
                    }
                    for strategy in task.strategies.values()
                ],
            }
            for task in topic.tasks.values()
        ],
    }
