"""From a selection to an ordered list of trials, in blocks; selections that match nothing are refused."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import msgspec
import numpy as np

from harness.declare import Param, Task
from harness.errors import NothingSelectedError, UsageError, did_you_mean
from harness.plan.cells import PlannedCell, cells_of_profile, matches, merged
from harness.plan.selection import Selection
from harness.records import Cell, Scalar, Seeds, Trial
from harness.registry import Registry


def check_patterns(selection: Selection, registry: Registry) -> None:
    """Refuse patterns that match no name."""
    tasks = list(registry.tasks())
    topics = [pattern for pattern in selection.tasks if "/" not in pattern]
    known = {
        "topic": (topics, list(registry.topics)),
        "task": ([pattern for pattern in selection.tasks if "/" in pattern], [task.full_name for task in tasks]),
        "strategy": (selection.strategies, [name for task in tasks for name in task.strategies]),
        "data set": (selection.datasets, registry.dataset_names()),
        "scenario": (selection.scenarios, [scenario.name for task in tasks for scenario in task.scenarios]),
    }
    for what, (patterns, names) in known.items():
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(f"no {what} matches {pattern!r}{did_you_mean(pattern, names)}")


def known_part(selection: Selection, registry: Registry) -> Selection:
    """Leave out patterns of tasks that match nothing here, unless none would be left.

    One side of a gate may lack a topic or a task that the other has: the rest is still compared.
    """
    tasks = [task.full_name for task in registry.tasks()]
    known = tuple(
        pattern for pattern in selection.tasks if any(matches(name, (_full_pattern(pattern),)) for name in tasks)
    )
    return msgspec.structs.replace(selection, tasks=known) if known else selection


def _full_pattern(pattern: str) -> str:
    """Return the pattern of ``topic/task`` for a pattern of topics or tasks."""
    return pattern if "/" in pattern else f"{pattern}/*"


def check_values(
    values: Mapping[str, tuple[Scalar, ...]], chosen: Sequence[str], tasks: Sequence[Task], registry: Registry
) -> None:
    """Refuse values of unknown parameters and values of the wrong type, before cells are made."""
    known: dict[str, list[Scalar]] = {}
    for task in tasks:
        options = [strategy.options for strategy in task.strategies.values() if matches(strategy.name, chosen)]
        params = [*(dataset.params for dataset in registry.datasets_of(task)), task.params]
        for defaults in (*options, *({name: param.default for name, param in declared.items()} for declared in params)):
            for name, default in defaults.items():
                known.setdefault(name, []).append(default)
    for name, given in values.items():
        if name not in known:
            raise UsageError(f"--set {name}: there is no such parameter here{did_you_mean(name, known)}")
        for default, value in itertools.product(known[name], given):
            try:
                Param(default).check(name, value)
            except ValueError as error:
                raise UsageError(f"--set {error}") from None


def check_used(values: Iterable[str], cells: Sequence[PlannedCell]) -> None:
    """Refuse values that no chosen cell uses."""
    used = {name for cell in cells for name in cell.params}
    used |= {name for cell in cells for variant in cell.variants for name in variant.strategy.options}
    for name in values:
        if name not in used:
            raise UsageError(f"--set {name}: no selected strategy or data set has that parameter")


_DATA, _MODEL, _ORDER = range(3)


@dataclass(frozen=True)
class Plan:
    """Trials in the order in which they run, and a digest that is equal for equal plans.

    Attributes
    ----------
    left_out
        For ``topic/task``, the strategies that the quick profile leaves out.
    """

    trials: tuple[Trial, ...]
    digest: str
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def make_plan(selection: Selection, registry: Registry, *, every_strategy: bool = False) -> Plan:
    """Make the plan of a selection; the same selection of the same declarations gives the same plan.

    Parameters
    ----------
    every_strategy
        Whether the quick profile has the strategies too that it leaves out of a run: a gate and a suite have them.

    Raises
    ------
    UsageError
        When a pattern or a name matches nothing, or a value is out of range.
    NothingSelectedError
        When each part matches something, but nothing matches all of them.
    """
    check_patterns(selection, registry)
    patterns = [_full_pattern(pattern) for pattern in selection.tasks]
    tasks = [task for task in registry.tasks() if matches(task.full_name, patterns)]
    if selection.profile == "quick":
        others = [task for task in tasks if not task.only_named]
        tasks = [task for task in tasks if not task.only_named or _is_named(task, selection, others)]
    skipped = {} if every_strategy else _left_out(tasks, selection)
    if selection.profile == "claims":
        cells = _claimed(tasks, selection, registry)
    else:
        check_values(selection.values, selection.strategies, tasks, registry)
        cells = [
            cell
            for task in tasks
            for cell in cells_of_profile(task, selection, registry, skipped.get(task.full_name, ()))
        ]
    if selection.profile == "full" and not selection.values:
        cells = merged([*cells, *_claimed(tasks, selection, registry)])
    trials = tuple(_order(cells, selection.seed))
    if not trials:
        raise NothingSelectedError("nothing matches this selection; `bakeoff list` shows what there is")
    check_used(selection.values, cells)
    digest = hashlib.blake2b(msgspec.json.encode(trials, order="sorted"), digest_size=8).hexdigest()
    return Plan(trials, digest, skipped)


def _is_named(task: Task, selection: Selection, others: Sequence[Task]) -> bool:
    """Return whether a selection names a task, or one of its strategies and none of the other tasks'."""
    if any("/" in pattern and fnmatchcase(task.full_name, pattern) for pattern in selection.tasks):
        return True
    theirs = {name for other in others for name in other.strategies}
    return any(
        any(fnmatchcase(name, pattern) for name in task.strategies)
        and not any(fnmatchcase(name, pattern) for name in theirs)
        for pattern in selection.strategies
    )


def _left_out(tasks: Sequence[Task], selection: Selection) -> dict[str, tuple[str, ...]]:
    """Return what the quick profile leaves out of tasks; nothing if the selection names strategies."""
    if selection.profile != "quick" or selection.strategies:
        return {}
    return {task.full_name: task.not_quick for task in tasks if task.not_quick and not task.only_named}


def _claimed(tasks: Sequence[Task], selection: Selection, registry: Registry) -> list[PlannedCell]:
    # Imported here because claims import the statistics, which other plans do not need.
    from harness.plan.cells import cells_of_claims

    chosen = [task.full_name for task in tasks]
    topics = dict.fromkeys(task.topic for task in tasks)
    return [cell for name in topics for cell in cells_of_claims(registry.topics[name], chosen, selection, registry)]


def _order(cells: Sequence[PlannedCell], seed: int) -> Iterator[Trial]:
    """Generate the trials block by block through all cells, so that a drift of the machine affects all cells alike."""
    for block in range(max((cell.blocks for cell in cells), default=0)):
        seeds = _seeds(seed, block)
        shuffle = np.random.default_rng(seeds.order)
        for cell in cells:
            variants = [variant for variant in cell.variants if block < variant.blocks]
            for index in shuffle.permutation(len(variants)):
                strategy, options, _ = variants[index]
                yield Trial(
                    topic=cell.task.topic,
                    task=cell.task.name,
                    strategy=strategy.name,
                    dataset=cell.dataset.name,
                    scenario=cell.scenario.name,
                    params=cell.params,
                    options=options,
                    block=block,
                    seeds=seeds,
                )


def further_block(trials: Iterable[Trial], seed: int, block: int) -> list[Trial]:
    """Plan a further block of a run: trials of any block with the seeds of this one, shuffled within each cell.

    Parameters
    ----------
    seed
        Root of the seeds of the run.
    """
    cells: dict[Cell, list[Trial]] = {}
    for trial in trials:
        cells.setdefault(trial.cell, []).append(trial)
    seeds = _seeds(seed, block)
    shuffle = np.random.default_rng(seeds.order)
    return [
        msgspec.structs.replace(of_cell[index], block=block, seeds=seeds)
        for of_cell in cells.values()
        for index in shuffle.permutation(len(of_cell))
    ]


def _seeds(seed: int, block: int) -> Seeds:
    data, model, order = (
        int(np.random.SeedSequence(seed, spawn_key=(block, kind)).generate_state(1)[0])
        for kind in (_DATA, _MODEL, _ORDER)
    )
    return Seeds(data=data, model=model, order=order)
