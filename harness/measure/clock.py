"""The phase clock: the one object through which a strategy is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType

from harness.errors import did_you_mean
from harness.measure import memory
from harness.measure.children import children_cpu_ns
from harness.measure.device import Device
from harness.records import Phase

SHORT_S = 0.05
LEAST_REPEATS = 5
MOST_REPEATS = 50
REPEAT_BUDGET_S = 0.15

#: Called with the phase, "enter" or "leave", and the monotonic time in seconds.
Listener = Callable[[str, str, float], None]


@dataclass(slots=True)
class _Start:
    wall_ns: int
    cpu_ns: int
    children_ns: int
    resident: int | None


class PhaseClock:
    """Measures the named phases of one trial.

    ``with phase("fit"):`` measures its body once. ``for _ in phase("predict"):`` measures it once too and, when that
    took under 50 ms, takes the first pass as warm-up and repeats the body: at least 5 times, at most 50, until 0.15 s
    are spent. The figure of a phase is the median of its samples; its memory is that of the first pass, as later ones
    reuse pages. A set-up phase is never repeated, and held memory counts from the start of the first other phase.

    Parameters
    ----------
    phases
        Names that the task declares.
    device
        Synchronised before either clock is read.
    setup
        Those of the phases that are in no total.
    repeat
        Whether short phases are repeated.
    passes
        For some phases with a ``for`` statement, how many passes are one sample; by default one. The sample is the time
        of all of them together.
    gauge
        Reads the peak of resident memory; by default the kernel's own.

    Attributes
    ----------
    figures
        What was measured of each phase so far.
    passed
        Passes of a sample of each phase that was used in a ``for`` statement.
    """

    def __init__(
        self,
        phases: Sequence[str],
        device: Device,
        listen: Listener,
        *,
        setup: Sequence[str] = (),
        repeat: bool = True,
        passes: Mapping[str, int] = MappingProxyType({}),
        gauge: memory.Gauge | None = None,
    ) -> None:
        self.figures: dict[str, Phase] = {}
        self.passed: dict[str, int] = {}
        self.running: str | None = None
        self._phases = phases
        self._device = device
        self._listen = listen
        self._setup = setup
        self._repeat = repeat
        self._passes = passes
        self._gauge = gauge or memory.HighWater()
        self._base: int | None = None

    def __call__(self, name: str) -> _Measured:
        """Return the phase, to be used in a ``with`` or ``for`` statement."""
        if name not in self._phases:
            raise ValueError(f"phase {name!r} is not declared by the task{did_you_mean(name, self._phases)}")
        return _Measured(self, name)

    def enter(self, name: str) -> _Start:
        """Prepare the phase and start its clocks."""
        if self.running is not None:
            raise RuntimeError(f"phase {name!r} entered inside of phase {self.running!r}")
        self.running = name
        if name not in self.figures:
            memory.trim()
        self._listen(name, "enter", time.monotonic())
        self._device.reset_peak()
        resident = self._gauge.reset()
        if self._base is None and name not in self._setup:
            self._base = resident or 0
        return self._start(resident)

    def leave(self, name: str, start: _Start) -> Phase:
        """Stop the clocks and add a sample."""
        wall_s, cpu_s = self._stop(start)
        peak_bytes = None if start.resident is None else max(self._gauge.peak() - start.resident, 0)
        device_bytes = self._device.peak_bytes()
        self._listen(name, "leave", time.monotonic())
        self.running = None
        # Set-up before the first measured phase holds nothing: what held memory counts from has not begun.
        held = 0 if self._base is None else (start.resident or 0) - self._base
        figures = self.figures.setdefault(name, Phase([], [], held_bytes=held, in_total=name not in self._setup))
        figures.wall_s.append(wall_s)
        figures.cpu_s.append(cpu_s)
        figures.peak_bytes = _larger(figures.peak_bytes, peak_bytes)
        figures.device_bytes = _larger(figures.device_bytes, device_bytes)
        return figures

    def passes(self, name: str) -> int:
        """Return how many passes are one sample of a phase, and note it."""
        count = self.passed[name] = self._passes.get(name, 1)
        return count

    def repeats(self, name: str, figures: Phase) -> Iterator[None]:
        """Measure the body again when its first pass was short."""
        if not self._repeat or name in self._setup or figures.wall_s[-1] >= SHORT_S:
            return
        del figures.wall_s[-1], figures.cpu_s[-1]
        spent, count = 0.0, 0
        while count < LEAST_REPEATS or (spent < REPEAT_BUDGET_S and count < MOST_REPEATS):
            self.running = name
            start = self._start(None)
            yield
            wall_s, cpu_s = self._stop(start)
            self.running = None
            figures.wall_s.append(wall_s)
            figures.cpu_s.append(cpu_s)
            spent, count = spent + wall_s, count + 1

    def _start(self, resident: int | None) -> _Start:
        start = _Start(0, 0, children_cpu_ns(), resident)
        self._device.synchronize()
        start.cpu_ns = time.process_time_ns()
        start.wall_ns = time.perf_counter_ns()
        return start

    def _stop(self, start: _Start) -> tuple[float, float]:
        self._device.synchronize()
        wall_ns = time.perf_counter_ns()
        cpu_ns = time.process_time_ns()
        children_ns = children_cpu_ns()
        own = cpu_ns - start.cpu_ns
        return (wall_ns - start.wall_ns) / 1e9, (own + max(children_ns - start.children_ns, 0)) / 1e9


class _Measured:
    """One use of a phase."""

    def __init__(self, clock: PhaseClock, name: str) -> None:
        self._clock = clock
        self._name = name

    def __enter__(self) -> None:
        self._start = self._clock.enter(self._name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._clock.leave(self._name, self._start)

    def __iter__(self) -> Iterator[None]:
        passes = self._clock.passes(self._name)
        start = self._clock.enter(self._name)
        for _ in range(passes):
            yield
        figures = self._clock.leave(self._name, start)
        yield from self._clock.repeats(self._name, figures)


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
