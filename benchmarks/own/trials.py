"""Trials of the built-in topics, as the benchmarks of their facts take them."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.execute import choose
from harness.execute.executor import Limits, blocks_of
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Record
from harness.registry import load_registry


def run(selection: Selection, limits: Limits) -> list[Record]:
    """Run what is selected, and return the records."""
    config = Config(folder=Path(__file__).parent)
    registry = load_registry(config)
    records: list[Record] = []
    plan = make_plan(selection, registry)
    executor = choose("local", registry, config, limits)
    executor.run(blocks_of(plan.trials), lambda ended: records.extend(each.record for each in ended.responses))
    return records
