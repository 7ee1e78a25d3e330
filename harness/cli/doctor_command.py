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

#: The noise floor needs so many pairs, however long they take.
_LEAST_PAIRS = 3
_COLOURS = {"good": "green", "warn": "yellow", "bad": "red"}


class _TimeIsOver(Exception):  # noqa: N818 - not an error: it ends the A/A trials
    pass


@click.command("doctor", short_help="Say whether this machine is fit to measure.")
@click.option("--seconds", type=click.FloatRange(min=2), default=30.0, show_default=True, help="Time for A/A trials.")
@click.option("--keep", is_flag=True, help="Store the noise floor beside the machine's runs, for pages and claims.")
@json_option
def command(*, seconds: float, keep: bool, as_json: bool) -> None:
    """Say whether this machine is fit to measure.

    Checks cores, load, limits and devices. Then it runs the same work under two names (A/A), in the same way as any
    trial. The two differ only by noise, so smaller differences cannot be detected on this machine.
    """
    from harness.measure.fitness import findings, read, summarise

    settings = config()
    state = read()
    judged = findings(state)
    log().print(f"running A/A trials for {seconds:g} s ...")
    begun = time.monotonic()
    pairs = _pairs(_trials(settings, seconds))
    noise = summarise(pairs)
    if len(pairs) == _LEAST_PAIRS and (spent := time.monotonic() - begun) > seconds:
        log().print(
            f"note: only {_LEAST_PAIRS} pairs of trials ran, in {spent:.0f} s: give --seconds {10 * spent:.0f} for a "
            "noise floor that can be relied on",
            soft_wrap=True,
        )
    if keep:
        log().print(f"wrote {_keep(settings, noise)}", soft_wrap=True)
    if as_json:
        print_json({"machine": state.machine, "findings": judged, "noise": noise})
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

    from harness.errors import BakeoffError
    from harness.execute import choose
    from harness.execute.executor import Ended, Limits, blocks_of
    from harness.measure.machine import memory_budget
    from harness.plan import make_plan
    from harness.plan.selection import Selection
    from harness.registry import load_registry

    settings = msgspec.structs.replace(settings, topics=(*settings.topics, "harness.measure.equal_trials"))
    registry = load_registry(settings)
    plan = make_plan(Selection(tasks=("noise",), profile="quick"), registry)
    records: list[Record] = []
    deadline = time.monotonic() + seconds

    def receive(ended: Ended) -> None:
        records.extend(response.record for response in ended.responses)
        for record in records[-len(ended.responses) :]:
            if record.status != "ok":
                raise BakeoffError(f"no noise floor: an A/A trial did not finish: {record.reason}")
        if time.monotonic() > deadline and len(_pairs(records)) >= _LEAST_PAIRS:
            raise _TimeIsOver

    limits = Limits(timeout_s=60, memory_bytes=memory_budget())
    with contextlib.suppress(_TimeIsOver):
        choose("local", registry, settings, limits).run(blocks_of(plan.trials), receive)
    return records


def _pairs(records: Sequence[Record]) -> list[NoisePair]:
    """Pair the trials of each block; blocks that follow one another on the different cores are one turn."""
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
    from harness.report.terminal import Column, Styled, print_table

    columns = [
        Column("", [Styled(finding.level, _COLOURS[finding.level]) for finding in judged], 0, "label"),
        Column("", [finding.check for finding in judged], 1, "name", "check"),
        Column("", [finding.figure for finding in judged], 2, "text", "figure"),
        Column("", [finding.advice for finding in judged], 3, "text", "advice"),
    ]
    print_table(out, columns)
    out.print()
    out.print(f"A/A noise of CPU time, {noise.pairs} pairs:")
    out.print(f"  one trial against another on the same core   {noise.within_core:.2%}")
    if noise.between_cores is not None:
        out.print(f"  one core against another in the same turn    {noise.between_cores:.2%}")
    out.print(f"  second trial of a pair against the first     {noise.second:+.2%}")
    for blocks, floor in noise.floor.items():
        out.print(f"  smallest difference that {blocks:2d} blocks can settle {floor:8.2%}")
