"""Makes plans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from harness.declare import Task
from harness.errors import NothingSelectedError
from harness.plan.cells import PlannedCell, cells_of_profile, matches, merged
from harness.plan.checks import check_patterns, check_used, check_values
from harness.registry import Registry
from harness.selection import Selection
from harness.trial import Seeds, Trial

_DATA, _MODEL, _ORDER = range(3)


@dataclass(frozen=True)
class Plan:
    """Trials in the order in which they run, and a digest that tells whether two plans are the same."""

    trials: tuple[Trial, ...]
    digest: str


def make_plan(selection: Selection, registry: Registry) -> Plan:
    """Make the plan of a selection; the same selection of the same declarations gives the same plan.

    Raises
    ------
    UsageError
        When a pattern or a name matches nothing, or a value is out of range.
    NothingSelectedError
        When every part is known but nothing matches them together.
    """
    check_patterns(selection, registry)
    patterns = [pattern if "/" in pattern else f"{pattern}/*" for pattern in selection.tasks]
    tasks = [task for task in registry.tasks() if matches(task.full_name, patterns)]
    if selection.profile == "claims":
        cells = _claimed(tasks, selection, registry)
    else:
        check_values(selection.values, selection.strategies, tasks, registry)
        cells = [cell for task in tasks for cell in cells_of_profile(task, selection, registry)]
    if selection.profile == "full" and not selection.values:
        cells = merged([*cells, *_claimed(tasks, selection, registry)])
    trials = tuple(_order(cells, selection.seed))
    if not trials:
        raise NothingSelectedError("nothing matches this selection; `bakeoff list` shows what there is")
    check_used(selection.values, cells)
    digest = hashlib.blake2b(msgspec.json.encode(trials, order="sorted"), digest_size=8).hexdigest()
    return Plan(trials, digest)


def _claimed(tasks: Sequence[Task], selection: Selection, registry: Registry) -> list[PlannedCell]:
    # Claims bring the statistics with them, which other plans do without.
    from harness.plan.claimed import cells_of_claims

    chosen = [task.full_name for task in tasks]
    topics = dict.fromkeys(task.topic for task in tasks)
    return [cell for name in topics for cell in cells_of_claims(registry.topics[name], chosen, selection, registry)]


def _order(cells: Sequence[PlannedCell], seed: int) -> Iterator[Trial]:
    """Go block by block through all cells, so that a drift of the machine meets all of them alike."""
    for block in range(max((cell.blocks for cell in cells), default=0)):
        seeds = Seeds(
            data=_seed(seed, block, _DATA), model=_seed(seed, block, _MODEL), order=_seed(seed, block, _ORDER)
        )
        shuffle = np.random.default_rng(seeds.order)
        for cell in cells:
            if block >= cell.blocks:
                continue
            for index in shuffle.permutation(len(cell.variants)):
                strategy, options = cell.variants[index]
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


def _seed(seed: int, block: int, kind: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(block, kind)).generate_state(1)[0])
