"""Begins a run or resumes it, and runs the trials that have no record yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness.config import Config
from harness.declare import Metric, Stress, Task
from harness.declare.questions import questions
from harness.declare.values import Summed
from harness.errors import UsageError
from harness.execute import choose
from harness.execute.executor import Block, Cluster, Ended, EngineError, Executor, Limits, Place, blocks_of
from harness.measure.code import code_digests
from harness.measure.machine import Environment, Machine, environment, fingerprint
from harness.plan import Plan, make_plan
from harness.plan.data import check_data
from harness.plan.selection import Selection
from harness.records import Record, Trial
from harness.registry import Registry
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard, new_run_id
from harness.store.read import block_owners, open_run
from harness.store.runs import Run, check_not_written, create, find, parts, resume


@dataclass(frozen=True)
class OpenRun:
    """A run whose file on this machine is open for writing, and what is still to be run.

    Attributes
    ----------
    blocks
        Trials without a record that may run here, in the order of the plan.
    recorded
        Number of planned trials with a record, on all machines.
    begun
        Trials without a record in the blocks that other machines began.
    """

    file: Run
    plan: Plan
    blocks: list[Block]
    recorded: int = 0
    begun: list[Block] = field(default_factory=list)

    @property
    def selection(self) -> Selection:
        """What was asked for."""
        return self.file.header.selection

    @property
    def missing(self) -> list[Trial]:
        """All trials without a record."""
        return [trial for block in (*self.begun, *self.blocks) for trial in block.trials]


def start(selection: Selection, plan: Plan, config: Config, registry: Registry, command: str) -> OpenRun:
    """Begin a new run: verify its data sets and create its file.

    Raises
    ------
    UsageError
        When data are damaged or not what their card says, when none are here, or the results folder cannot be written.
    """
    _check_some_data(plan, registry)
    chosen = {(trial.topic, trial.task) for trial in plan.trials}
    tasks = [task for task in registry.tasks() if (task.topic, task.name) in chosen]
    strategies = [(task, strategy) for task in tasks for strategy in task.strategies.values()]
    needs = set().union(*(registry.needs(task, task.strategies.values()) for task in tasks))
    header = Header(
        schema=SCHEMA,
        run=new_run_id(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=fingerprint(config.machine or None),
        environment=environment(config.folder, needs),
        selection=selection,
        plan=plan.digest,
        trials=len(plan.trials),
        command=command,
        metrics=tuple(_metrics(tasks, altered_tasks(selection, registry))),
        strategies=tuple(_strategies(tasks)),
        references={task.full_name: task.reference for task in tasks if task.reference},
        tasks=tuple(_card(task, plan.left_out.get(task.full_name, ())) for task in tasks),
        cards=_versions(plan, registry),
        modules=code_digests(strategies, registry, config),
    )
    return OpenRun(create(config.results_folder, header), plan, blocks_of(plan.trials))


def reopen(name: str, config: Config, registry: Registry) -> OpenRun:
    """Resume a run, on the machine that began it or on another one.

    On another machine the run gets a further file. A block runs on one machine as a whole: blocks with a record
    elsewhere are left to the machine that began them.

    Raises
    ------
    UsageError
        When there is no such run, its code, packages or data have changed, its plan cannot be made again, or one of
        its files is being written.
    """
    files = parts(find(config.results_folder, name)[0])
    headers = {path: _header(path) for path in files}
    header = headers[files[0]]
    if header.parent:
        raise UsageError(
            f"run {header.run} adds blocks to run {header.parent} as time allows: go on with "
            f"'bakeoff settle {header.parent}'"
        )
    _check_same(header, config)
    plan = _same_plan(header, registry)
    here = fingerprint(config.machine or None)
    own = next((path for path in files if headers[path].machine.name == here.name), None)
    for path in files:
        if path != own:
            check_not_written(path)
    run = resume(own) if own else _create_part(files[0], header, here, config)
    try:
        missing, recorded = _missing(plan, headers)
    except BaseException:
        run.close()
        raise
    blocks: list[Block] = []
    begun: list[Block] = []
    for block in missing:
        (blocks if block.machine in ("", here.name) else begun).append(block)
    return OpenRun(run, plan, blocks, recorded, begun)


def executor_for(
    selection: Selection, config: Config, registry: Registry, name: str = "local", cluster: Cluster | None = None
) -> Executor:
    """Make the executor of a selection; the same plan may be run by any of them."""
    limits = Limits(
        timeout_s=selection.timeout_s,
        memory_bytes=selection.memory_limit_bytes,
        memory_pass=selection.memory_pass,
        jobs=selection.jobs,
        altered=altered_tasks(selection, registry),
    )
    return choose(name, registry, config, limits, cluster)


def run_plan(
    run: OpenRun, executor: Executor, receive: Callable[[Record, str], None], begin: Callable[[Trial], None]
) -> Counter[str]:
    """Run the trials that are still to be run, and write the records as soon as the trials have ended.

    The records of a machine are written into its own file of the run.

    Returns
    -------
    Counter
        Machine to the number of trials that it has to finish, because it began their blocks and is out of reach.

    Raises
    ------
    EngineError
        When what runs the blocks is gone; it says how to go on.
    """
    blocks = [*run.begun, *run.blocks]
    own = (each for each in blocks if not each.machine or each.machine in executor.machines)
    try:
        ended = run_blocks(run.file, own, executor, receive, begin)
    except EngineError as error:
        raise EngineError(
            f"{error}; what has ended is on record, go on with 'bakeoff run --resume {run.file.header.run}'"
        ) from error
    return _by_machine(blocks, ended)


def run_blocks(
    run: Run,
    blocks: Iterable[Block],
    executor: Executor,
    receive: Callable[[Record, str], None],
    begin: Callable[[Trial], None],
) -> set[str]:
    """Run blocks, and write the records as soon as the trials have ended; return the keys of these trials.

    Raises
    ------
    EngineError
        When what runs the blocks is gone.
    """
    ended: set[str] = set()
    with ExitStack() as stack:
        files = _Files(run, stack)

        def write(batch: Ended) -> None:
            responses = [response for response in batch.responses if response.record.trial.key not in ended]
            if not responses:
                return
            file = files.of(batch.place)
            for response in responses:
                if response.text:
                    file.note(response.record.trial.key, response.text)
            file.write(*(response.record for response in responses))
            for response in responses:
                ended.add(response.record.trial.key)
                receive(response.record, response.text)

        executor.run(blocks, write, begin)
    return ended


class _Files:
    """The files of a run that are open for writing, one for each machine, opened when it has records."""

    def __init__(self, own: Run, stack: ExitStack) -> None:
        self._own = own
        self._stack = stack
        self._files = {own.header.machine.name: own}

    def of(self, place: Place | None) -> Run:
        if place is None:
            return self._own
        name = place.machine.name
        if name not in self._files:
            header = msgspec.structs.replace(self._own.header, machine=place.machine, environment=place.environment)
            results = self._own.path.parents[1]
            path = results / name / self._own.path.name
            self._files[name] = self._stack.enter_context(resume(path) if path.exists() else create(results, header))
        return self._files[name]


def _by_machine(blocks: Iterable[Block], ended: Collection[str] = ()) -> Counter[str]:
    """Count the trials that have not ended in the blocks that a machine began."""
    begun = (block for block in blocks if block.machine)
    return Counter(block.machine for block in begun for trial in block.trials if trial.key not in ended)


def altered_tasks(selection: Selection, registry: Registry) -> frozenset[str]:
    """Name the tasks, ``topic/task``, whose altered test sets a selection hands out.

    A profile may leave them out. With the profile ``claims``, tasks have them if a claim asks for their figures.
    """

    def wanted(task: Task) -> bool:
        if selection.stress:
            return True
        if selection.profile != "claims":
            return (task.quick if selection.profile == "quick" else task.full).stress
        return any(question.measure in task.altered_metrics for _, question in questions(registry.topics[task.topic]))

    return frozenset(task.full_name for task in registry.tasks() if task.stress and wanted(task))


def _metrics(tasks: Iterable[Task], altered: frozenset[str]) -> Iterator[JudgedMetric]:
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
                    rate=metric.rate,
                )
        for name, (metric, stress, level) in task.altered_metrics.items():
            if task.full_name in altered and metric.direction and metric.unit:
                yield JudgedMetric(
                    task=task.full_name,
                    name=name,
                    direction=metric.direction,
                    unit=metric.unit,
                    summary=_altered(metric, stress, level),
                    margin=metric.margin,
                    rate=metric.rate and not isinstance(level, str),
                    of=metric.name,
                    stress=stress.name,
                    level=None if isinstance(level, str) else level,
                    axis=stress.axis,
                )


def _altered(metric: Metric, stress: Stress, level: float | Summed) -> str:
    """Say what a figure of altered test sets is."""
    if level == "over":
        return f"{metric.name}, mean over {stress.axis}"
    if level == "change":
        return f"{metric.name}, change from the first to the last of {stress.axis}"
    return f"{metric.name} at {stress.axis}: {level:g}"


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
                tries=strategy.tries,
                hand_tuned=strategy.hand_tuned,
                yardstick=strategy.yardstick,
            )


def _card(task: Task, left_out: tuple[str, ...]) -> TaskCard:
    return TaskCard(
        name=task.full_name,
        title=task.title,
        baseline=task.baseline or "",
        sweep=tuple(task.sweep),
        charts=task.charts,
        work=dict(task.work),
        setup=task.setup,
        left_out=left_out,
    )


def _header(path: Path) -> Header:
    with open_run(path) as reader:
        return reader.header


def _same_plan(header: Header, registry: Registry) -> Plan:
    """Make the plan of a run again and verify its data."""
    plan = make_plan(header.selection, registry)
    if plan.digest != header.plan:
        raise UsageError(
            f"run {header.run} cannot be resumed: the declarations changed since, and so would its plan; "
            f"start a new run, or go back to commit {(header.environment.commit or 'unknown')[:8]}"
        )
    for dataset, version in _versions(plan, registry).items():
        if header.cards.get(dataset, version) != version:
            raise UsageError(f"run {header.run} cannot be resumed: data set {dataset} has changed; start a new run")
    for task in registry.tasks():
        if header.has(task.full_name) and header.setup(task.full_name) != _card(task, ()).declared_setup:
            raise UsageError(
                f"run {header.run} cannot be resumed: {task.full_name} has other set-up phases now, so that its totals "
                "mean something else; start a new run"
            )
    check_data(plan.trials, registry)
    return plan


def _check_same(header: Header, config: Config) -> None:
    """Refuse to mix records of different packages or code in one run."""
    now, then = environment(config.folder, header.environment.packages), header.environment
    changes = changed_packages(then, now)
    if now.commit != then.commit:
        changes.insert(0, f"commit {(then.commit or 'none')[:8]}")
    if changes:
        raise UsageError(
            f"run {header.run} cannot be resumed: it began with {', '.join(changes)}, which this machine does not have "
            f"now; restore that, or start a new run"
        )


def changed_packages(then: Environment, now: Environment) -> list[str]:
    """List the packages of an environment that another one lacks or has in another version."""
    return [f"{name} {version}" for name, version in then.packages.items() if now.packages.get(name) != version]


def _create_part(first: Path, header: Header, here: Machine, config: Config) -> Run:
    """Create this machine's file of a run that another machine began."""
    if first.parent.name != header.machine.name:
        raise UsageError(
            f"run {header.run} of machine {header.machine.name} cannot be resumed here: put {first} into a folder "
            f"{header.machine.name} of the results folder first"
        )
    header = msgspec.structs.replace(header, schema=SCHEMA, machine=here, environment=environment(config.folder))
    return create(first.parents[1], header)


def _missing(plan: Plan, headers: dict[Path, Header]) -> tuple[list[Block], int]:
    """List the trials without a record, with the machine that began their block, and count those on record."""
    owners = block_owners(list(headers))
    keys = {path: _keys(path) for path in headers}
    missing: list[Block] = []
    for block in blocks_of(plan.trials):
        owner = owners.get((block.trials[0].cell, block.trials[0].block))
        if owner is None:
            missing.append(block)
            continue
        trials = tuple(trial for trial in block.trials if trial.key not in keys[owner])
        if trials:
            missing.append(Block(trials, headers[owner].machine.name))
    return missing, len(plan.trials) - sum(len(block.trials) for block in missing)


def _keys(path: Path) -> set[str]:
    with open_run(path) as reader:
        return {record.trial.key for record in reader}


def _check_some_data(plan: Plan, registry: Registry) -> None:
    """Check the data of a plan; trials without their data are skipped, but not all of them."""
    missing = check_data(plan.trials, registry)
    if set(missing) == {trial.dataset for trial in plan.trials}:
        raise UsageError(f"no data of this selection are on this machine; get them with: {'; '.join(missing.values())}")


def _versions(plan: Plan, registry: Registry) -> dict[str, str]:
    """Return each data set of a plan with its version."""
    return {name: registry.dataset(name).version for name in sorted({trial.dataset for trial in plan.trials})}
