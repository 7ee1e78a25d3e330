"""``bakeoff doctor``: whether this machine is fit to measure."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from harness.config import Config
    from harness.measure.fitness import MachineFinding, Noise, NoisePair
    from harness.records import Record

_COLOURS = {"good": "green", "warn": "yellow", "bad": "red"}


class _Enough(Exception):  # noqa: N818 - no error: the time for A/A trials is over
    pass


@click.command("doctor", short_help="Say whether this machine is fit to measure.")
@click.option("--seconds", type=click.FloatRange(min=2), default=30.0, show_default=True, help="Time for A/A trials.")
@click.option("--keep", is_flag=True, help="Keep the noise floor beside the machine's runs, for pages and claims.")
@json_option
def command(*, seconds: float, keep: bool, as_json: bool) -> None:
    """Say whether this machine is fit to measure.

    Looks at cores, load, limits and devices, then runs the same work under two names (A/A) through the same path as any
    trial: what differs is noise, and no smaller difference can be settled here.
    """
    from harness.measure.fitness import findings, read, summarise

    settings = config()
    seen = read()
    judged = findings(seen)
    log().print(f"running A/A trials for {seconds:g} s ...")
    noise = summarise(_pairs(_trials(settings, seconds)))
    if keep:
        log().print(f"wrote {_keep(settings, noise)}", soft_wrap=True)
    if as_json:
        print_json({"machine": seen.machine, "findings": judged, "noise": noise})
        return
    _print(console(), judged, noise)


def _keep(settings: Config, noise: Noise) -> Path:
    from datetime import UTC, datetime

    from harness.measure.machine import fingerprint
    from harness.store.noise import StoredNoise, write_noise

    folder = settings.results_folder / fingerprint(settings.machine or None).name
    return write_noise(folder, StoredNoise(datetime.now(UTC).isoformat(timespec="seconds"), noise))


def _trials(settings: Config, seconds: float) -> list[Record]:
    import msgspec

    from harness.execute import choose
    from harness.execute.executor import Limits, blocks_of
    from harness.measure.machine import memory_budget
    from harness.plan import make_plan
    from harness.plan.selection import Selection
    from harness.registry import load_registry

    settings = msgspec.structs.replace(settings, topics=(*settings.topics, "harness.measure.equal_trials"))
    registry = load_registry(settings)
    plan = make_plan(Selection(tasks=("noise",), profile="quick"), registry)
    records: list[Record] = []
    deadline = time.monotonic() + seconds

    def receive(record: Record, _text: str) -> None:
        records.append(record)
        if time.monotonic() > deadline:
            raise _Enough

    limits = Limits(timeout_s=60, memory_bytes=memory_budget())
    with contextlib.suppress(_Enough):
        choose("local", registry, settings, limits).run(blocks_of(plan.trials), receive)
    return records


def _pairs(records: Sequence[Record]) -> list[NoisePair]:
    """NoisePair the trials of a block; blocks that follow one another on the different cores are one moment."""
    from harness.measure.fitness import NoisePair
    from harness.measure.machine import usable_cores
    from harness.records import measure

    around = max(len(usable_cores()), 1)
    blocks: dict[int, list[Record]] = {}
    for record in records:
        blocks.setdefault(record.trial.block, []).append(record)
    pairs = []
    for block, pair in blocks.items():
        figures = {record.trial.strategy: measure(record, "cpu_s") for record in pair}
        a, b = figures.get("a"), figures.get("b")
        if a is not None and b is not None:
            core = pair[0].cores[0] if pair[0].cores else 0
            pairs.append(NoisePair(core, block // around, a, b, pair[0].trial.strategy == "a"))
    return pairs


def _print(out: Console, judged: Sequence[MachineFinding], noise: Noise) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in judged:
        colour = _COLOURS[finding.level]
        table.add_row(f"[{colour}]{finding.level}[/{colour}]", finding.check, finding.figure, finding.advice)
    out.print(table)
    out.print(f"\nA/A noise of CPU time, {noise.pairs} pairs:")
    out.print(f"  one trial against another on the same core   {noise.within_core:.2%}")
    if noise.between_cores is not None:
        out.print(f"  one core against another at the same moment  {noise.between_cores:.2%}")
    out.print(f"  second trial of a pair against the first     {noise.second:+.2%}")
    for blocks, floor in noise.floor.items():
        out.print(f"  smallest difference that {blocks:2d} blocks can settle {floor:8.2%}")
