"""Conducts a run: checks the data, opens the file, runs what is still missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from harness.config import Config
from harness.declare import Task
from harness.errors import UsageError
from harness.execute.local import Limits, LocalExecutor, Receiver
from harness.measure.machine import environment, fingerprint, memory_budget
from harness.plan import Plan, make_plan
from harness.plan.selection import Selection
from harness.records import Record, Trial
from harness.registry import Registry
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard, new_run_id
from harness.store.runs import Run, create, find, resume


def start(selection: Selection, plan: Plan, config: Config, registry: Registry, command: str) -> Run:
    """Create the file of a new run.

    Raises
    ------
    UsageError
        When data are missing or damaged, or the results folder cannot be written.
    """
    _verify_data(plan.trials, registry)
    chosen = {(trial.topic, trial.task) for trial in plan.trials}
    tasks = [task for task in registry.tasks() if (task.topic, task.name) in chosen]
    header = Header(
        schema=SCHEMA,
        run=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=fingerprint(config.machine or None),
        environment=environment(config.folder),
        selection=selection,
        plan=plan.digest,
        trials=len(plan.trials),
        command=command,
        metrics=tuple(_metrics(tasks)),
        strategies=tuple(_strategies(tasks)),
        references={task.full_name: task.reference for task in tasks if task.reference},
        tasks=tuple(_card(task) for task in tasks),
        cards={name: registry.dataset(name).version for name in sorted({trial.dataset for trial in plan.trials})},
    )
    return create(config.results_folder, header)


def _metrics(tasks: Iterable[Task]) -> Iterator[JudgedMetric]:
    for task in tasks:
        for metric in task.metrics:
            if metric.direction and metric.unit:
                yield JudgedMetric(
                    task=task.full_name,
                    name=metric.name,
                    direction=metric.direction,
                    unit=metric.unit,
                    summary=metric.summary,
                    margin=metric.margin,
                    limit=metric.limit,
                )


def _strategies(tasks: Iterable[Task]) -> Iterator[StrategyCard]:
    for task in tasks:
        for strategy in task.strategies.values():
            yield StrategyCard(
                task=task.full_name,
                name=strategy.name,
                options=dict(strategy.options),
                note=strategy.note,
                summary=strategy.summary,
                device=strategy.device,
            )


def _card(task: Task) -> TaskCard:
    return TaskCard(
        name=task.full_name,
        title=task.title,
        baseline=task.baseline or "",
        sweep=tuple(task.sweep),
        charts=task.charts,
        work=dict(task.work),
    )


def reopen(name: str, config: Config, registry: Registry) -> tuple[Run, Plan]:
    """Open an interrupted run again.

    Raises
    ------
    UsageError
        When there is no such run, or its plan cannot be made again.
    """
    run = resume(find(config.results_folder, name))
    try:
        _check_same(run.header, config)
        plan = make_plan(run.header.selection, registry)
        if plan.digest != run.header.plan:
            raise UsageError(
                f"run {run.header.run} cannot be resumed: the declarations changed since, and so would its plan; "
                f"start a new run, or go back to commit {(run.header.environment.commit or 'unknown')[:8]}"
            )
        _verify_data(plan.trials, registry)
    except BaseException:
        run.close()
        raise
    return run, plan


def run_plan(
    run: Run, plan: Plan, config: Config, registry: Registry, receive: Receiver, begin: Callable[[Trial], None]
) -> None:
    """Run the trials of the plan that the run does not hold yet, and write each record as it comes."""
    selection = run.header.selection
    limits = Limits(
        timeout_s=selection.timeout_s,
        memory_bytes=selection.memory_limit_bytes or memory_budget(),
        memory_pass=selection.memory_pass,
        jobs=selection.jobs,
    )

    def keep(record: Record, text: str) -> None:
        if text:
            run.note(record.trial.key, text)
        run.write(record)
        receive(record, text)

    missing = [trial for trial in plan.trials if trial.key not in run.keys]
    LocalExecutor(registry, config, limits).run(missing, keep, begin)


def _check_same(header: Header, config: Config) -> None:
    """Refuse to mix records of different machines, packages or code in one run."""
    machine, now = fingerprint(config.machine or None).name, environment(config.folder)
    then = header.environment
    changes = [f"{name} {version}" for name, version in then.packages.items() if now.packages.get(name) != version]
    if now.commit != then.commit:
        changes.insert(0, f"commit {(then.commit or 'none')[:8]}")
    if machine != header.machine.name:
        changes.insert(0, f"machine {header.machine.name}")
    if changes:
        began = ", ".join(changes)
        raise UsageError(
            f"run {header.run} cannot be resumed: it began with {began}, which is no longer so; start a new run"
        )


def _verify_data(trials: Iterable[Trial], registry: Registry) -> None:
    for name in sorted({trial.dataset for trial in trials}):
        registry.dataset(name).verify()
