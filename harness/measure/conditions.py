"""What the machine did around a trial: time lost to other guests, other processes and a quota, load and clock rate."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.measure.machine import control_groups
from harness.records import Conditions

_ROOT = Path("/")
# Columns of a cpu line of /proc/stat: user nice system idle iowait irq softirq steal (guest time is within user).
_BUSY = (0, 1, 2, 5, 6)
_STEAL = 7


@dataclass(frozen=True)
class Snapshot:
    """Counters of a trial's cores at one time.

    Attributes
    ----------
    at_s
        Monotonic time.
    cores
        Number of cores that the counters cover.
    busy_s, stolen_s
        Time since boot, summed over these cores.
    throttled_s
        Time for which CPU quotas have stopped this process's control groups, summed over cores.
    load
        1-minute load average of the machine.
    mhz
        Mean frequency of these cores; ``None`` where unknown.
    """

    at_s: float
    cores: int
    busy_s: float
    stolen_s: float
    load: float
    mhz: float | None
    throttled_s: float = 0.0


def snapshot(cores: Sequence[int], *, root: Path = _ROOT) -> Snapshot:
    """Read the counters now.

    Parameters
    ----------
    cores
        Cores that the trial is pinned to; empty for all cores of the machine.
    root
        Where ``proc`` and ``sys`` are mounted.
    """
    count, busy, stolen = _times(cores, root)
    at = time.perf_counter()
    return Snapshot(at, count, busy, stolen, os.getloadavg()[0], _mhz(cores, root), _throttled(root))


def conditions(before: Snapshot, after: Snapshot, own_cpu_s: float, switches: int = 0, jobs: int = 1) -> Conditions:
    """Return what the cores did between two snapshots, apart from the trial.

    The kernel counts in ticks of 10 ms and charges a whole tick to the process that runs at its end, so the difference
    of two readings is uncertain by about one tick a core: 10 % of a trial of 0.1 s. One tick a core is therefore
    taken off both stolen and foreign time. Short trials are not called contaminated for rounding; in return, up to
    10 ms a core of real foreign time stay unseen, which is less than 5 % from 0.2 s on.

    Parameters
    ----------
    own_cpu_s
        CPU seconds of the trial's process and its children between the snapshots.
    switches
        Involuntary context switches of the trial's process.
    jobs
        Trials that ran at the same time, this one included.
    """
    available = (after.at_s - before.at_s) * after.cores
    unsure = after.cores / os.sysconf("SC_CLK_TCK")

    def share(seconds: float) -> float:
        return min(1.0, max(0.0, seconds - unsure) / available) if available > 0 else 0.0

    return Conditions(
        load=before.load,
        stolen=share(after.stolen_s - before.stolen_s),
        foreign=share(after.busy_s - before.busy_s - own_cpu_s),
        throttled=share(after.throttled_s - before.throttled_s),
        mhz=[snap.mhz for snap in (before, after) if snap.mhz is not None],
        switches=switches,
        jobs=jobs,
    )


def _times(cores: Sequence[int], root: Path) -> tuple[int, float, float]:
    """Return the number of cores covered and their busy and stolen seconds since boot.

    Not psutil's list of cores on Linux: it numbers the lines, which are not the cores' numbers when one is offline.
    """
    try:
        rows = [line.split() for line in (root / "proc/stat").read_text().splitlines() if line.startswith("cpu")]
    except OSError:
        return _all_times()
    ticks = {int(row[0][3:]): [int(value) for value in row[1:]] for row in rows if row[0] != "cpu"}
    chosen = [ticks[core] for core in cores if core in ticks] or list(ticks.values())
    hertz = os.sysconf("SC_CLK_TCK")
    busy = sum(row[column] for row in chosen for column in _BUSY)
    return len(chosen), busy / hertz, sum(row[_STEAL] for row in chosen) / hertz


def _throttled(root: Path) -> float:
    """Return for how long quotas have stopped the control groups of this process, in seconds summed over cores."""
    total = 0.0
    for folder in control_groups(root, "cpu"):
        with contextlib.suppress(OSError, ValueError):
            counters = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            total += int(counters.get("throttled_usec", 0)) / 1e6 + int(counters.get("throttled_time", 0)) / 1e9
    return total


def _all_times() -> tuple[int, float, float]:
    """Return the same for all cores where the kernel has no /proc/stat."""
    times = psutil.cpu_times()
    return psutil.cpu_count() or 1, times.user + times.system + getattr(times, "nice", 0.0), 0.0


def _mhz(cores: Sequence[int], root: Path) -> float | None:
    """Return the mean frequency of the cores: the governor's view first, because it reads only the cores asked for."""
    rates = []
    for core in cores:
        try:
            rates.append(int((root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq").read_text()) / 1000)
        except (OSError, ValueError):
            return _cpuinfo_mhz(cores, root)
    return sum(rates) / len(rates) if rates else _cpuinfo_mhz(cores, root)


def _cpuinfo_mhz(cores: Sequence[int], root: Path) -> float | None:
    try:
        text = (root / "proc/cpuinfo").read_text()
    except OSError:
        return None
    rates: list[float] = []
    core = -1
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.rstrip() == "processor":
            core = int(value)
        elif key.rstrip() == "cpu MHz" and (not cores or core in cores):
            rates.append(float(value))
    return sum(rates) / len(rates) if rates else None
