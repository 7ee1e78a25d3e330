"""Which blocks are added to a run: what comes first, and how often what they settle is wrong or does not last."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np
import pytest

from harness.analysis.settling import Settling
from harness.measure.machine import Environment, Machine
from harness.plan.make import further_block
from harness.plan.selection import Selection
from harness.records import Phase, Record, Seeds, Trial
from harness.store.header import SCHEMA, Header, JudgedMetric, TaskCard

#: CPU seconds and quality of a strategy.
Draw = tuple[float, float]
#: Draws a block: strategy to what it is measured to be.
Block = Callable[[np.random.Generator], Mapping[str, Draw]]


def header(run: str, *tasks: str, parent: str = "", session: str = "") -> Header:
    return Header(
        schema=SCHEMA,
        run=run,
        started="2026-11-23T02:15:00+00:00",
        machine=Machine("machine"),
        environment=Environment(),
        selection=Selection(),
        plan="plan",
        trials=0,
        command="bakeoff run t",
        metrics=tuple(JudgedMetric(task, "auc", "higher", "1", margin=0.01) for task in tasks),
        cards={},
        tasks=tuple(TaskCard(task) for task in tasks),
        parent=parent,
        session=session,
    )


def trial(task: str, strategy: str, block: int = 0) -> Trial:
    return Trial("t", task, strategy, "data", "clean", {}, {}, block, Seeds(block, block, block))


def record(own: Trial, drawn: Draw, elapsed_s: float = 1.0) -> Record:
    phase = Phase([drawn[0]], [drawn[0]])
    return Record(own, "ok", phases={"fit": phase}, metrics={"auc": drawn[1]}, elapsed_s=elapsed_s)


def begun(draw: Block, rng: np.random.Generator, blocks: int = 3) -> Settling:
    """Measure a run of one task, and begin a run that adds blocks to it."""
    records = [
        record(trial("task", strategy, block), drawn)
        for block in range(blocks)
        for strategy, drawn in draw(rng).items()
    ]
    settling = Settling([(header("aaaaaa", "t/task"), records)], {})
    settling.begin(header("bbbbbb", "t/task", parent="aaaaaa", session="aaaaaa"))
    return settling


def add(settling: Settling, draw: Block, rng: np.random.Generator, blocks: int) -> None:
    for _ in range(blocks):
        standing = settling.standings["t/task"]
        drawn = draw(rng)
        for own in further_block(settling.trials(standing), 0, settling.next_block(standing)):
            settling.add(record(own, drawn[own.strategy]))


def settle(settling: Settling, draw: Block, rng: np.random.Generator, most: int = 48) -> None:
    """Add blocks until nothing is open, or at most so many."""
    while (standing := settling.next(math.inf)) is not None and settling.next_block(standing) < most:
        add(settling, draw, rng, standing.missing)
        settling.judge(standing.name)


def equal_qualities(rng: np.random.Generator) -> Mapping[str, Draw]:
    block = rng.normal()
    return {name: (1.0, block + rng.normal()) for name in "ab"}


def equal_costs(rng: np.random.Generator) -> Mapping[str, Draw]:
    """Their quality is equal as well, which six blocks show; until then the cost may settle it."""
    return {name: (math.exp(0.3 * rng.normal()), 0.5 + 0.006 * rng.normal()) for name in "ab"}


@pytest.mark.parametrize("draw", [equal_qualities, equal_costs])
def test_at_most_five_per_cent_of_equal_strategies_are_settled(draw: Block) -> None:
    """Over all looks, with the blocks, the strategies and the sessions of `bakeoff settle`."""
    rng = np.random.default_rng(6)
    settled = []
    for _ in range(200):
        settling = begun(draw, rng)
        settle(settling, draw, rng)
        # A tie is the truth.
        settled.append(settling.standings["t/task"].found.state == "settled")
    # The standard error is 1.5 %.
    assert np.mean(settled) <= 0.05 + 0.02


def test_what_is_settled_stays_settled() -> None:
    """Differences of one standard deviation: as many blocks again, and again, leave what was settled as it was."""

    def draw(rng: np.random.Generator) -> Mapping[str, Draw]:
        block = rng.normal()
        return {"a": (1.0, block + rng.normal() / 2 + 1), "b": (0.5, block + rng.normal() / 2), "c": (2.0, block)}

    rng = np.random.default_rng(7)
    stays = []
    for _ in range(100):
        settling = begun(draw, rng)
        settle(settling, draw, rng, most=24)
        found = settling.standings["t/task"].found
        if found.state != "settled":
            continue
        have = settling.next_block(settling.standings["t/task"])
        for _ in range(3 * have):
            drawn = draw(rng)
            block = settling.next_block(settling.standings["t/task"])
            for name in "abc":
                settling.add(record(trial("task", name, block), drawn[name]))
        again = settling.judge("t/task").found
        stays.append((again.state, again.take) == ("settled", found.take))
    assert len(stays) > 60
    assert np.mean(stays) >= 0.95


def test_an_added_block_has_the_leading_strategy_and_its_rivals() -> None:
    rng = np.random.default_rng(8)

    def draw(rng: np.random.Generator) -> Mapping[str, Draw]:
        return {"a": (1.0, 0.9 + 0.02 * rng.normal()), "b": (1.0, 0.88 + 0.02 * rng.normal()), "poor": (1.0, 0.1)}

    settling = begun(draw, rng)
    (standing,) = settling.open
    assert {own.strategy for own in settling.trials(standing)} == {"a", "b"}
    assert (standing.missing, settling.next_block(standing)) == (3, 3)
    add(settling, draw, rng, 3)
    standing = settling.judge("t/task")
    assert standing.found.quality["poor"].word == "better"
    assert standing.found.blocks(next(label for label in "ab" if label != standing.found.take)) == 6


def test_a_strategy_is_not_ahead_because_its_blocks_have_other_data() -> None:
    """Blocks that were added without `poor` have data on which all fare worse."""

    def draw(level: float) -> Block:
        return lambda rng: {
            "a": (1.0, level + 0.9 + 0.02 * rng.normal()),
            "b": (1.0, level + 0.88 + 0.02 * rng.normal()),
            "poor": (1.0, level + 0.5 + 0.01 * rng.normal()),
        }

    rng = np.random.default_rng(8)
    settling = begun(draw(0.0), rng)
    add(settling, draw(-0.8), rng, 9)
    assert settling.judge("t/task").found.take in ("a", "b")


def two_tasks(slow_s: float) -> Iterator[Record]:
    rng = np.random.default_rng(9)
    for task, elapsed in (("slow", slow_s), ("fast", 1.0)):
        for block in range(3):
            for strategy, level in (("a", 0.9), ("b", 0.87)):
                yield record(trial(task, strategy, block), (1.0, level + 0.02 * rng.normal()), elapsed)


def test_what_takes_less_time_comes_first_and_must_fit() -> None:
    settling = Settling([(header("aaaaaa", "t/slow", "t/fast"), list(two_tasks(100.0)))], {})
    assert [own.name for own in settling.open] == ["t/fast", "t/slow"]
    fast, slow = settling.open
    assert (fast.block_s, slow.block_s) == (2.0, 200.0)
    assert settling.next(math.inf) == fast
    assert settling.next(fast.missing * fast.block_s - 0.1) is None
    only = Settling([(header("aaaaaa", "t/slow", "t/fast"), list(two_tasks(100.0)))], {}, ["t/slow"])
    assert [own.name for own in only.open] == ["t/slow"]


def test_what_no_number_of_blocks_settles_is_left_out() -> None:
    values = {"a": (0.91, 0.72, 0.83), "b": (0.71, 0.93, 0.82)}
    records = [
        record(trial("task", name, block), (1.0 + 0.5 * (block == at), auc))
        for at, (name, row) in enumerate(values.items())
        for block, auc in enumerate(row)
    ]
    settling = Settling([(header("aaaaaa", "t/task"), records)], {})
    assert settling.open == []
    (standing,) = settling.standings.values()
    assert (standing.found.state, len(standing.left_out)) == ("open", 1)


def test_one_block_is_followed_by_another_one_before_anything_is_forecast() -> None:
    records = [record(trial("task", name), (1.0, 0.9)) for name in "ab"]
    records = [msgspec.structs.replace(own, metrics={"auc": 0.9 + 0.1 * at}) for at, own in enumerate(records)]
    settling = Settling([(header("aaaaaa", "t/task"), records)], {})
    (standing,) = settling.open
    assert (standing.missing, standing.seconds, standing.least_s) == (1, None, 2.0)
