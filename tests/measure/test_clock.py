"""The phase clock on a time that is driven by hand, and on real work with known cost."""

from __future__ import annotations

import gc
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import fresh_process

from harness.measure import clock as clock_module
from harness.measure import memory
from harness.measure.clock import LEAST_REPEATS, SHORT_S, PhaseClock
from harness.measure.device import Cpu

PHASES = ("fit", "predict", "again")


class HandTime:
    """The module `time`, standing still until it is told to go on; it notes which clock is read."""

    def __init__(self) -> None:
        self.now_ns, self.cpu_ns = 10**12, 0
        self.events: list[str] = []

    def pass_ms(self, wall: float, cpu: float = 0) -> None:
        self.now_ns += round(wall * 1e6)
        self.cpu_ns += round(cpu * 1e6)

    def perf_counter_ns(self) -> int:
        self.events.append("wall")
        return self.now_ns

    def process_time_ns(self) -> int:
        self.events.append("cpu")
        return self.cpu_ns

    def monotonic(self) -> float:
        return self.now_ns / 1e9


class FakeDevice:
    """A device that notes what is asked of it; its work takes 30 ms until it is waited for."""

    def __init__(self, hand: HandTime) -> None:
        self.hand, self.pending = hand, 0.0

    def synchronize(self) -> None:
        self.hand.events.append("synchronize")
        self.hand.pass_ms(self.pending)
        self.pending = 0.0

    def reset_peak(self) -> None:
        self.hand.events.append("reset")

    def peak_bytes(self) -> int | None:
        self.hand.events.append("peak")
        return 77


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect() -> Iterator[None]:
    """A phase begins with a collection, which need not go through what the other tests have imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> HandTime:
    made = HandTime()
    monkeypatch.setattr(clock_module, "time", made)
    return made


def make(**changes: Any) -> PhaseClock:
    return PhaseClock(PHASES, Cpu(), lambda *_: None, **changes)


def test_with_measures_once(hand: HandTime) -> None:
    phase = make()
    with phase("fit"):
        hand.pass_ms(3, cpu=2)
    figures = phase.figures["fit"]
    assert (figures.wall_s, figures.cpu_s) == ([0.003], [0.002])
    assert phase.running is None


@pytest.mark.parametrize(
    ("took_ms", "samples"), [(0.001, 50), (1, 50), (3, 50), (3.1, 49), (20, 8), (40, 5), (49.9, 5), (50, 1), (900, 1)]
)
def test_for_repeats_what_is_short(hand: HandTime, took_ms: float, samples: int) -> None:
    phase, passes = make(), 0
    for _ in phase("predict"):
        hand.pass_ms(took_ms)
        passes += 1
    assert phase.figures["predict"].wall_s == pytest.approx([took_ms / 1e3] * samples)
    assert len(phase.figures["predict"].cpu_s) == samples
    assert passes == (1 if samples == 1 else samples + 1)
    assert phase.running is None


def test_warm_up_is_no_sample(hand: HandTime) -> None:
    phase, took = make(), itertools.chain([45.0], itertools.repeat(10.0))
    for _ in phase("predict"):
        hand.pass_ms(next(took))
    assert phase.figures["predict"].wall_s == pytest.approx([0.01] * 15)


def test_repeats_can_be_switched_off(hand: HandTime) -> None:
    phase, passes = make(repeat=False), 0
    for _ in phase("predict"):
        hand.pass_ms(1)
        passes += 1
    assert (passes, phase.figures["predict"].wall_s) == (1, [0.001])


def test_passes_of_a_for_statement_can_be_one_sample(hand: HandTime) -> None:
    phase = make(repeat=False, passes={"predict": 7, "fit": 3})
    with phase("fit"):
        hand.pass_ms(2)
    for _ in phase("predict"):
        hand.pass_ms(1)
    assert phase.figures["fit"].wall_s == [0.002]
    assert phase.figures["predict"].wall_s == pytest.approx([0.007])
    assert phase.passed == {"predict": 7}


class Sizes:
    """A gauge that reads the given sizes at the starts of phases; a phase's peak is 5 bytes above its start."""

    def __init__(self, *starts: int) -> None:
        self.starts, self.last = iter(starts), 0

    def reset(self) -> int:
        self.last = next(self.starts)
        return self.last

    def peak(self) -> int:
        return self.last + 5


def test_set_up_is_measured_once_and_held_memory_counts_from_the_first_other_phase(hand: HandTime) -> None:
    phase = make(setup=("fit",), gauge=Sizes(100, 900, 1000, 950))
    passes = 0
    for _ in phase("fit"):
        hand.pass_ms(1)
        passes += 1
    for name in ("predict", "again", "fit"):
        with phase(name):
            hand.pass_ms(2)
    fit, predict, again = (phase.figures[name] for name in ("fit", "predict", "again"))
    assert passes == 1
    assert (fit.in_total, predict.in_total, again.in_total) == (False, True, True)
    assert (fit.held_bytes, predict.held_bytes, again.held_bytes) == (0, 0, 100)
    assert (fit.wall_s, fit.peak_bytes) == ([0.001, 0.002], 5)


def test_phase_entered_again_adds_a_sample(hand: HandTime) -> None:
    phase = make()
    for took in (1, 2, 3):
        with phase("fit"):
            hand.pass_ms(took)
    assert phase.figures["fit"].wall_s == [0.001, 0.002, 0.003]


def test_time_between_phases_belongs_to_none(hand: HandTime) -> None:
    phase = make()
    with phase("fit"):
        hand.pass_ms(1)
    hand.pass_ms(1000)
    with phase("predict"):
        hand.pass_ms(2)
    assert [figures.wall_s for figures in phase.figures.values()] == [[0.001], [0.002]]


def test_phase_inside_of_a_phase() -> None:
    phase = make()
    with pytest.raises(RuntimeError, match="phase 'predict' entered inside of phase 'fit'"), phase("fit"):  # noqa: SIM117
        with phase("predict"):
            pass


def test_phase_that_is_not_declared() -> None:
    with pytest.raises(ValueError, match=r"phase 'prdict' is not declared by the task; did you mean predict\?"):
        make()("prdict")


@pytest.mark.parametrize("passes", [1, 3])
def test_leaving_a_for_statement_is_seen(passes: int) -> None:
    phase = make()
    for count, _ in enumerate(phase("predict"), start=1):
        if count == passes:
            break
    assert phase.running == "predict"
    with pytest.raises(RuntimeError, match="phase 'fit' entered inside of phase 'predict'"):
        phase("fit").__enter__()


def test_exception_leaves_the_phase_named_and_without_figures() -> None:
    phase = make()
    with pytest.raises(KeyError), phase("fit"):
        raise KeyError
    assert phase.running == "fit"
    assert phase.figures == {}


def test_listener_hears_each_entry_and_exit(hand: HandTime) -> None:
    heard: list[tuple[str, str, float]] = []
    phase = PhaseClock(PHASES, Cpu(), lambda *event: heard.append(event))
    with phase("fit"):
        hand.pass_ms(1500)
    for _ in phase("predict"):
        hand.pass_ms(1)
    # Repeats are not told: nothing looks at memory then.
    assert heard == [
        ("fit", "enter", 1000.0),
        ("fit", "leave", 1001.5),
        ("predict", "enter", 1001.5),
        ("predict", "leave", pytest.approx(1001.501)),
    ]


def test_device_is_reset_first_and_waited_for_before_either_clock(hand: HandTime) -> None:
    device = FakeDevice(hand)
    phase = PhaseClock(PHASES, device, lambda *_: None)
    device.pending = 30.0  # work of before the phase
    with phase("fit"):
        hand.events.append("body")
        hand.pass_ms(5)
        device.pending = 30.0
    assert hand.events == ["reset", "synchronize", "cpu", "wall", "body", "synchronize", "wall", "cpu", "peak"]
    assert phase.figures["fit"].wall_s == pytest.approx([0.035])
    assert phase.figures["fit"].device_bytes == 77


def test_device_is_waited_for_in_every_repeat(hand: HandTime) -> None:
    device = FakeDevice(hand)
    phase = PhaseClock(PHASES, device, lambda *_: None)
    for _ in phase("predict"):
        device.pending = 30.0
    assert phase.figures["predict"].wall_s == pytest.approx([0.03] * 5)
    assert hand.events.count("reset") == 1


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def cpu_of(work: Callable[[], object]) -> tuple[float, float]:
    phase = make()
    with phase("fit"):
        work()
    return phase.figures["fit"].cpu_s[0], phase.figures["fit"].wall_s[0]


@pytest.mark.measured
def test_cpu_time_of_one_busy_thread_is_at_most_wall_time() -> None:
    cpu_s, wall_s = cpu_of(lambda: burn(0.1))
    assert 0.1 <= cpu_s <= wall_s + 1e-4


@pytest.mark.measured
def test_sleep_takes_time_and_no_cpu() -> None:
    cpu_s, wall_s = cpu_of(lambda: time.sleep(0.1))
    assert wall_s >= 0.1
    assert cpu_s < wall_s / 4


BURN = "import time\ninput()\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


def child() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def burn_in(process: subprocess.Popen[str]) -> None:
    """Have a child burn 0.2 s of CPU, less what its start took."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "\n"


@pytest.mark.measured
def test_cpu_time_of_children_counts_ended_and_running() -> None:
    with child() as running, child() as ended:

        def work() -> None:
            burn_in(running)
            burn_in(ended)
            ended.communicate("\n")

        cpu_s, _ = cpu_of(work)
        running.communicate("\n")
    assert 0.3 <= cpu_s < 0.6


@pytest.mark.measured
def test_cpu_time_of_children_before_the_phase_does_not_count() -> None:
    with child() as running, child() as ended:
        burn_in(running)
        burn_in(ended)
        cpu_s, _ = cpu_of(lambda: ended.communicate("\n"))
        running.communicate("\n")
    assert cpu_s < 0.1


MEMORY = """
import json, sys
import numpy as np
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu

def small(megabytes):  # blocks that malloc cuts from its heap
    return [np.ones(100_000, np.uint8) for _ in range(10 * megabytes)]

def large(megabytes):  # a block of its own mapping
    return np.ones(megabytes * 1_000_000, np.uint8)

make = {"small": small, "large": large}[sys.argv[1]]
phase = PhaseClock(["fit", "predict", "again"], Cpu(), lambda *_: None)
before = make(100)
del before
with phase("fit"):
    kept = make(50)
with phase("predict"):
    make(20)
for _ in phase("again"):
    make(10)
print(json.dumps({name: [p.peak_bytes, p.held_bytes, p.wall_s] for name, p in phase.figures.items()}))
"""


@pytest.mark.measured
@pytest.mark.skipif(memory.HighWater().reset() is None, reason="the peak of resident memory cannot be reset here")
@pytest.mark.parametrize("blocks", ["small", "large"])
def test_memory_of_a_phase_is_what_it_allocates(blocks: str) -> None:
    """50 MB and 20 MB in phases, after 100 MB were freed: what was freed before is not reused unseen."""
    found = fresh_process(MEMORY, blocks)
    peaks = {name: peak / 1e6 for name, (peak, _, _) in found.items()}
    held = {name: start / 1e6 for name, (_, start, _) in found.items()}
    # The kernel counts resident pages in batches, at both ends of a phase.
    assert peaks == pytest.approx({"fit": 50, "predict": 20, "again": 10}, rel=0.03, abs=0.5)
    assert held == pytest.approx({"fit": 0, "predict": 50, "again": 50}, rel=0.03, abs=0.5)
    walls = found["again"][2]
    assert len(walls) >= LEAST_REPEATS or walls[0] >= SHORT_S  # on a loaded machine the first pass may last
