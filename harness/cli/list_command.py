"""``bakeoff list``: what can be selected, and why a strategy cannot run here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from harness.declare import Dataset, Topic
    from harness.registry import Registry


@click.command("list", short_help="Show topics, tasks, strategies, scenarios and data sets.")
@click.argument("topics", nargs=-1)
@click.option("--claims", is_flag=True, help="Show the declared claims with their sources.")
@json_option
def command(topics: tuple[str, ...], *, claims: bool, as_json: bool) -> None:
    """Show what can be selected: topics, tasks, strategies, scenarios and data sets.

    In a project it shows the topics of the project; name a built-in topic to see it. A strategy that cannot run on this
    machine is shown with the reason.
    """
    from harness.errors import UsageError, did_you_mean
    from harness.registry import load_registry
    from harness.report.terminal import Styled, joined

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
    for topic in chosen:
        out.print(joined(Styled(topic.name, "bold"), f"  {topic.title}"), soft_wrap=True)
        _print_tasks(out, topic, registry)
        if claims:
            for claim in topic.claims:
                out.print(joined(f"  - {claim.text} ", Styled(f"({claim.source})", "dim")), soft_wrap=True)
    if others and not topics:
        log().print(f"there are also the topics {', '.join(others)}: bakeoff list TOPIC shows one", soft_wrap=True)


def _print_tasks(out: Console, topic: Topic, registry: Registry) -> None:
    from harness.analysis.wording import phase
    from harness.measure.job import why_not
    from harness.report.terminal import Column, Styled, joined, print_table

    for task in topic.tasks.values():
        out.print()
        out.print(joined("  task ", Styled(task.name, "bold"), f"  {task.title}"), soft_wrap=True)
        names = [f"    {name}" for name in task.strategies]
        states = [
            Styled(f"cannot run: {reason}", "yellow") if (reason := why_not(strategy, topic)) else strategy.summary
            for strategy in task.strategies.values()
        ]
        left_out = task.not_quick
        profiles = ["not in quick" if name in left_out else "" for name in task.strategies]
        columns = [Column("", names, 0, "name"), Column("", states, 2, "text", "summary")]
        if left_out:
            columns.insert(1, Column("", profiles, 1, "label", "profile"))
        print_table(out, columns)
        for dataset in registry.datasets_of(task):
            reason = _unreadable(dataset)
            state = Styled(f"cannot be read: {reason}", "yellow") if reason else dataset.summary
            out.print(joined(f"    data set   {dataset.name}  ", state), soft_wrap=True)
        out.print(f"    scenarios  {', '.join(scenario.name for scenario in task.scenarios)}", soft_wrap=True)
        for stress in task.stress:
            levels = ", ".join(f"{level:g}" for level in stress.levels)
            out.print(f"    stress     {stress.name} ({stress.axis}: {levels})", soft_wrap=True)
        out.print(f"    phases     {', '.join(phase(name, task.setup) for name in task.phases)}", soft_wrap=True)
        metrics = ", ".join(f"{metric.name} ({metric.direction} is better)" for metric in task.metrics)
        out.print(f"    metrics    {metrics}", soft_wrap=True)
        params = ", ".join(f"{name}={param.default}" for name, param in task.params.items())
        out.print(f"    params     {params}", soft_wrap=True)
    count = len(topic.claims)
    out.print()
    out.print(f"  {count} claim{'' if count == 1 else 's'} (--claims shows them)")
    out.print()


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
