"""Whether this machine is fit to measure: findings on its state, and its noise floor from trials of equal work."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from harness.errors import UsageError
from harness.measure import memory
from harness.measure.conditions import conditions, snapshot
from harness.measure.machine import ROOT, Machine, fingerprint, memory_budget, usable_cores
from harness.measure.releases import can_wait

_GIB = 2**30
# 1 / Phi^-1(3/4): turns the median absolute deviation of a normal sample into its standard deviation.
_MAD_TO_SD = 1.482602218505602

_ADVICE = {
    "cores": "the harness shares the only core with the trial: use two cores or more",
    "governor": "the clock rate follows the load: set the governor to performance on every core",
    "load": "other work is running: wait for it or stop it",
    "CPU quota": "it stops trials that use more: raise the control group's quota to one core more than --threads",
    "other processes": "they take time of the trials' cores: stop them (above 5 % a trial counts as contaminated)",
    "stolen time": "other guests take this machine's cores: use dedicated cores, or more blocks",
    "multithreading": "two logical cores share one core: echo off > /sys/devices/system/cpu/smt/control",
    "virtual machine": "clock rate and neighbours are the host's: trust comparisons within a block, not seconds",
    "CUDA device": "strategies that need one are recorded as skipped",
    "memory": "trials over it are stopped: free memory, raise the control group's limit, or take smaller data",
    "peak memory": "it is sampled, and short peaks are missed: measure memory on Linux with a writable clear_refs",
    "address randomisation": "it cannot be switched off for the memory pass: allow personality(2) in the container",
    "huge pages": "memory grows in steps of 2 MiB at times of the kernel's choice: set transparent_hugepage to madvise",
}


class MachineFinding(msgspec.Struct, frozen=True):
    """One check of the machine: its figure, and what to do if it is not good."""

    check: str
    level: Literal["good", "warn", "bad"]
    figure: str
    advice: str = ""


@dataclass(frozen=True)
class Readings:
    """The state of the machine.

    Attributes
    ----------
    load
        1-minute load average.
    stolen
        Share of a busy core's time that other guests of the host took, 0 to 1.
    foreign
        Share of the usable cores' time that other processes took, 0 to 1.
    throttled
        Share of a busy core's time for which the control group's CPU quota stopped this process, 0 to 1.
    budget_bytes
        Memory that a trial may use by default.
    peak_resettable, peak_to_the_page, aslr_optional
        Whether the peak of resident memory can be reset, the memory pass read it to the page, and address randomisation
        be switched off.
    huge_pages
        Mode of transparent huge pages; empty where unknown.
    """

    machine: Machine
    load: float
    stolen: float
    foreign: float
    throttled: float
    budget_bytes: int
    peak_resettable: bool
    peak_to_the_page: bool
    aslr_optional: bool
    huge_pages: str


class NoisePair(msgspec.Struct, frozen=True):
    """One block of the same strategy twice, sides A and B, on one core.

    Attributes
    ----------
    core
        Core that both sides ran on.
    turn
        Index of the turn in which every core had one pair, one core directly after the other.
    a, b
        Times of the sides in seconds.
    a_first
        Whether A ran before B; alternate it.
    """

    core: int
    turn: int
    a: float
    b: float
    a_first: bool


class Noise(msgspec.Struct, frozen=True):
    """How much two measurements of the same thing differ.

    Attributes
    ----------
    pairs
        Number of pairs that the figures come from.
    within_core
        Relative standard deviation of a trial on one core in one turn, from the median absolute deviation.
    between_cores
        The same of the cores' speeds in one turn, less what `within_core` explains; ``None`` with a single core.
    second
        Median relative excess of a block's second trial over its first: an effect of order that alternating cancels.
    sd
        Standard deviation of a block's log-ratio of two equal trials.
    floor
        Number of blocks to the mean half-width of their 95 % paired t interval, as a relative difference: a smaller
        observed difference cannot be distinguished from none.
    """

    pairs: int
    within_core: float
    between_cores: float | None
    second: float
    sd: float
    floor: dict[int, float]


def read(window_s: float = 1.0, root: Path = ROOT) -> Readings:
    """Read the machine's state; keeps one core busy for `window_s` seconds, because only a busy core is stolen from."""
    cores = usable_cores()
    before, own = snapshot(cores, root=root), time.process_time()
    while time.perf_counter() < before.at_s + window_s:
        pass
    after, own = snapshot(cores, root=root), time.process_time() - own
    huge_pages = root / "sys/kernel/mm/transparent_hugepage/enabled"
    mode = re.search(r"\[(\w+)\]", huge_pages.read_text()) if huge_pages.exists() else None
    return Readings(
        machine=fingerprint(root=root),
        load=before.load,
        stolen=min(1.0, (after.stolen_s - before.stolen_s) / (after.at_s - before.at_s)),
        foreign=conditions(before, after, own).foreign,
        throttled=min(1.0, (after.throttled_s - before.throttled_s) / (after.at_s - before.at_s)),
        budget_bytes=memory_budget(root),
        peak_resettable=memory.HighWater().reset() is not None,
        peak_to_the_page=can_wait(),
        aslr_optional=memory.can_fix_addresses(),
        huge_pages=mode[1] if mode else "",
    )


def findings(seen: Readings) -> list[MachineFinding]:
    """Judge the readings, with one finding for each check."""
    machine, quota = seen.machine, seen.machine.cpu_quota
    load = seen.load / machine.cores_total
    budget = f"{seen.budget_bytes / _GIB:.1f} GiB a trial, of {machine.memory_bytes / _GIB:.1f}"
    if machine.memory_limit_bytes is not None:
        budget += f" limited to {machine.memory_limit_bytes / _GIB:.1f}"
    exact = "to the page in the memory pass" if seen.peak_to_the_page else "to 32 pages a core"
    peak = exact if seen.peak_resettable else "sampled"
    aslr = "optional" if seen.aslr_optional else "forced"
    return [
        _finding("cores", f"{machine.cores} of {machine.cores_total}", warn=machine.cores < 2),
        _finding("governor", machine.governor or "unknown", warn=machine.governor not in ("", "performance")),
        _finding("load", f"{load:.2f} a core", warn=load > 0.5, bad=load > 1.0),
        _finding(
            "CPU quota",
            "none" if quota is None else f"{quota:g} cores, {seen.throttled:.1%} of the time stopped",
            warn=seen.throttled > 0.01,
            bad=seen.throttled > 0.05,
        ),
        _finding("other processes", f"{seen.foreign:.1%}", warn=seen.foreign > 0.01, bad=seen.foreign > 0.05),
        _finding("stolen time", f"{seen.stolen:.1%}", warn=seen.stolen > 0.01, bad=seen.stolen > 0.05),
        _finding("multithreading", _switch(on=machine.smt), warn=machine.smt is True),
        _finding("virtual machine", _switch(on=machine.virtual), warn=machine.virtual is True),
        _finding("CUDA device", ", ".join(machine.devices) or "none", warn=not machine.devices),
        _finding("memory", budget, warn=seen.budget_bytes < 4 * _GIB, bad=seen.budget_bytes < _GIB),
        _finding("peak memory", peak, warn=not seen.peak_resettable),
        _finding("address randomisation", aslr, warn=not seen.aslr_optional),
        _finding("huge pages", seen.huge_pages or "unknown", warn=seen.huge_pages == "always"),
    ]


def summarise(samples: Sequence[NoisePair], blocks: Sequence[int] = (5, 10, 20)) -> Noise:
    """Estimate the noise floor from A/A pairs.

    Parameters
    ----------
    blocks
        Numbers of blocks to give the floor for, each at least 2.

    Raises
    ------
    UsageError
        With fewer than 3 pairs, or a time that is not positive.
    """
    from scipy.special import stdtrit

    times = np.array([(pair.a, pair.b) for pair in samples], dtype=float)
    if len(times) < 3 or not (np.isfinite(times) & (times > 0)).all():
        raise UsageError(f"the noise floor needs 3 pairs of positive times or more, got {len(times)}: run more blocks")
    logs = np.log(times)
    ratio = logs[:, 1] - logs[:, 0]
    sd = ratio.std(ddof=1)
    within = _robust_sd(ratio - np.median(ratio)) / np.sqrt(2)
    signs = np.where([pair.a_first for pair in samples], 1, -1)
    return Noise(
        pairs=len(samples),
        within_core=float(within),
        between_cores=_between(samples, logs.mean(axis=1), within),
        second=float(np.expm1(np.median(signs * ratio))),
        sd=float(sd),
        floor={count: float(np.expm1(stdtrit(count - 1, 0.975) * sd / np.sqrt(count))) for count in blocks},
    )


def _between(samples: Sequence[NoisePair], levels: np.ndarray, within: float) -> float | None:
    """Return the spread of the cores' mean log times around the mean of their turn."""
    turns: defaultdict[int, list[float]] = defaultdict(list)
    for pair, level in zip(samples, levels, strict=True):
        turns[pair.turn].append(level)
    rows = [np.array(row) for row in turns.values() if len(row) > 1]
    around = [(row - row.mean()) * np.sqrt(row.size / (row.size - 1)) for row in rows]
    if not around:
        return None
    # A level is the mean of two trials, which carries half of a trial's variance.
    return float(np.sqrt(max(0.0, _robust_sd(np.concatenate(around)) ** 2 - within**2 / 2)))


def _robust_sd(deviations: np.ndarray) -> float:
    return float(_MAD_TO_SD * np.median(np.abs(deviations)))


def _finding(check: str, figure: str, *, warn: bool, bad: bool = False) -> MachineFinding:
    if not (warn or bad):
        return MachineFinding(check, "good", figure)
    return MachineFinding(check, "bad" if bad else "warn", figure, _ADVICE[check])


def _switch(*, on: bool | None) -> str:
    return "unknown" if on is None else "yes" if on else "no"
