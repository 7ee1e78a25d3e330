from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.conditions import Snapshot, conditions, snapshot

HERTZ = os.sysconf("SC_CLK_TCK")

# user nice system idle iowait irq softirq steal guest guest_nice; core 1 is offline.
STAT = """cpu  999 99 99 999 9 9 9 99 99 9
cpu0 100 10 20 700 40 3 4 50 60 5
cpu2 200 0 30 600 10 0 0 7 0 0
intr 1 2 3
"""


def at(seconds: float, busy: float = 0.0, stolen: float = 0.0, cores: int = 1, mhz: float | None = None) -> Snapshot:
    return Snapshot(seconds, cores, busy, stolen, 0.25, mhz)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text(STAT)
    return tmp_path


def test_counters_of_the_named_cores(root: Path) -> None:
    first, third = snapshot([0], root=root), snapshot([2], root=root)
    assert (first.cores, first.busy_s, first.stolen_s) == (1, 137 / HERTZ, 50 / HERTZ)
    assert (third.cores, third.busy_s, third.stolen_s) == (1, 230 / HERTZ, 7 / HERTZ)


@pytest.mark.parametrize("cores", [[], [0, 2], [64]], ids=["none", "both", "hidden by a container"])
def test_counters_of_all_cores(root: Path, cores: list[int]) -> None:
    seen = snapshot(cores, root=root)
    assert seen.cores == 2
    assert seen.busy_s == pytest.approx(367 / HERTZ)
    assert seen.stolen_s == pytest.approx(57 / HERTZ)


def test_without_proc(tmp_path: Path) -> None:
    before = snapshot([0], root=tmp_path)
    after = snapshot([0], root=tmp_path)
    assert before.cores == os.cpu_count()
    assert (before.stolen_s, before.mhz) == (0.0, None)
    assert after.busy_s >= before.busy_s > 0


GROUPS = {
    "v2": {
        "proc/self/cgroup": "0::/outer/inner\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 9\nuser_usec 5\nsystem_usec 4\n",  # the root has no quota
        "sys/fs/cgroup/outer/cpu.stat": "usage_usec 9\nnr_periods 7\nnr_throttled 3\nthrottled_usec 1500000\n",
        "sys/fs/cgroup/outer/inner/cpu.stat": "nr_periods 7\nnr_throttled 1\nthrottled_usec 250000\n",
        "sys/fs/cgroup/other/cpu.stat": "throttled_usec 99000000\n",
    },
    "v1": {
        "proc/self/cgroup": "4:memory:/job\n2:cpu,cpuacct:/job\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
        "sys/fs/cgroup/cpu,cpuacct/job/cpu.stat": "nr_periods 630\nnr_throttled 626\nthrottled_time 1750000000\n",
    },
    "v1, named cpu alone": {
        "proc/self/cgroup": "1:cpu:/job\n",
        "sys/fs/cgroup/cpu/job/cpu.stat": "nr_periods 630\nnr_throttled 626\nthrottled_time 1750000000\n",
    },
}


@pytest.mark.parametrize("groups", GROUPS)
def test_time_for_which_quotas_stopped_the_control_groups(root: Path, groups: str) -> None:
    assert snapshot([0], root=root).throttled_s == 0.0
    for name, text in GROUPS[groups].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    assert snapshot([0], root=root).throttled_s == pytest.approx(1.75)


def test_a_quota_that_stops_a_trial_contaminates() -> None:
    """A fit of 0.93 s of CPU takes 2.01 s of wall time with half a core."""
    before, after = at(0), replace(at(2.01, busy=0.93), throttled_s=1.08)
    seen = conditions(before, after, own_cpu_s=0.93)
    assert seen.throttled == pytest.approx((1.08 - 1 / HERTZ) / 2.01)
    assert seen.contaminated
    assert not conditions(before, replace(after, throttled_s=0.05), own_cpu_s=0.93).contaminated


def test_frequency_of_the_named_cores(root: Path) -> None:
    (root / "proc/cpuinfo").write_text(
        "processor\t: 0\ncpu MHz\t\t: 1000.0\n\nprocessor\t: 2\ncpu MHz\t\t: 3000.0\nbogomips : 4\n"
    )
    assert snapshot([2], root=root).mhz == 3000.0
    assert snapshot([], root=root).mhz == 2000.0
    for core, khz in ((0, 1_500_000), (2, 2_500_000)):
        folder = root / f"sys/devices/system/cpu/cpu{core}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_cur_freq").write_text(f"{khz}\n")
    assert snapshot([0], root=root).mhz == 1500.0
    assert snapshot([0, 2], root=root).mhz == 2000.0


def test_shares_of_a_long_trial() -> None:
    """10 s on 2 cores: 2 s stolen, 5 s of 15 busy seconds not the trial's, less a tick a core."""
    seen = conditions(at(0, cores=2), at(10, busy=15, stolen=2, cores=2), own_cpu_s=10, switches=7, jobs=1)
    assert seen.stolen == pytest.approx((2 - 2 / HERTZ) / 20)
    assert seen.foreign == pytest.approx((5 - 2 / HERTZ) / 20)
    assert (seen.load, seen.switches, seen.contaminated) == (0.25, 7, True)


def test_foreign_time_is_never_negative() -> None:
    assert conditions(at(0), at(1, busy=0.9), own_cpu_s=1.0).foreign == 0.0


def test_one_tick_too_many_does_not_contaminate_a_short_trial() -> None:
    seen = conditions(at(0), at(0.05, busy=0.05 + 1 / HERTZ, stolen=1 / HERTZ), own_cpu_s=0.05)
    assert not seen.contaminated


def test_real_foreign_time_contaminates_from_a_fifth_of_a_second_on() -> None:
    assert conditions(at(0), at(0.2, busy=0.2), own_cpu_s=0.2 - 0.021).contaminated


def test_other_trials_alongside_contaminate() -> None:
    assert conditions(at(0), at(1), own_cpu_s=0, jobs=2).contaminated


def test_frequencies_before_and_after() -> None:
    assert conditions(at(0, mhz=1.0), at(1, mhz=2.0), 0.0).mhz == [1.0, 2.0]
    assert conditions(at(0), at(1), 0.0).mhz == []


@given(
    elapsed=st.floats(0, 1e4),
    busy=st.floats(-1, 1e4),
    stolen=st.floats(-1, 1e4),
    own=st.floats(0, 1e4),
    cores=st.integers(1, 256),
)
def test_shares_lie_between_0_and_1(elapsed: float, busy: float, stolen: float, own: float, cores: int) -> None:
    seen = conditions(at(0, cores=cores), at(elapsed, busy, stolen, cores), own)
    assert 0 <= seen.stolen <= 1
    assert 0 <= seen.foreign <= 1


@pytest.mark.measured
@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="no /proc/stat")
def test_work_of_this_process_is_seen_on_its_core() -> None:
    """Half a second of CPU raises the core's busy time by as much, give or take the ticks at both ends."""
    everywhere = os.sched_getaffinity(0)
    core = max(everywhere)
    os.sched_setaffinity(0, {core})
    try:
        before, start = snapshot([core]), time.process_time()
        while time.process_time() < start + 0.5:
            pass
        after = snapshot([core])
    finally:
        os.sched_setaffinity(0, everywhere)
    # A guest may charge stolen time to the process as well.
    assert after.busy_s + after.stolen_s - before.busy_s - before.stolen_s >= 0.5 - 5 / HERTZ
    assert conditions(before, after, 0.0).foreign > 0.1
