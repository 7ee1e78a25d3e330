"""asv's benchmarks, discovered by asv_runner: parameters, setup, setup_cache, teardown, raw times, tracked numbers."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import itertools
import json
import os
import pickle
import pkgutil
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import CannotRunError, InvalidOutputError, UsageError
from harness.gate.foreign.suite import SCRATCH, SHARED, Suite
from harness.interop.asv.files import value_of
from harness.interop.asv.results import named
from harness.interop.foreign.cases import Body, CollectedCase, Tracked, seconds_of
from harness.interop.foreign.modules import import_project, refuse_uncompiled
from harness.interop.imported_runs import PHASE
from harness.interop.reading import finite, line
from harness.measure.clock import PhaseClock
from harness.measure.job import reason_of
from harness.store.imported_names import identifier

_SEED = 1
_TIMED, _MEMORY = ("time", "timeraw"), ("peakmemory", "peakmem")
# A new interpreter runs the code, and says how long; a complex number holds both clocks.
_RAW = """
import json, sys, time, timeit
code, setup, number = json.load(sys.stdin)
taken = timeit.timeit(code, setup, lambda: complex(time.perf_counter(), time.process_time()), number)
print(); print(json.dumps([taken.real, taken.imag]))
"""


def collect(suite: Suite, folder: Path, *, once: bool) -> list[CollectedCase]:
    """Discover the benchmarks of a project, one case for each combination of parameters.

    Raises
    ------
    UsageError
        When asv_runner is missing, or the project's own package cannot be imported.
    """
    try:
        from asv_runner._aux import update_sys_path
        from asv_runner.discovery import disc_benchmarks
    except ImportError:
        raise UsageError("asv's benchmarks need the package asv: pip install asv") from None
    root = folder / suite.path
    update_sys_path(str(root))
    failed = list(_import_all(root, suite, folder))
    import_project(root.rglob("*.py"), folder)
    found: dict[tuple[str, ...], dict[str, CollectedCase]] = {}
    for benchmark in disc_benchmarks(str(root), ignore_import_errors=True):
        for index, values in enumerate(itertools.product(*benchmark.params)):
            text = benchmark.name + (f"({', '.join(values)})" if values else "")
            if re.search(suite.pattern, text):
                case = _case(benchmark, index, values, once=once)
                key = (case.named.task, case.named.strategy, *values)
                found.setdefault(key, {})[benchmark.type] = case
    # Time and peak memory of one name are one case: each process runs what it measures.
    order = (*_MEMORY, *_TIMED) if once else (*_TIMED, *_MEMORY)
    chosen = [kinds[min(kinds, key=[*order, *kinds].index)] for kinds in found.values()]
    return [*chosen, *failed]


def _import_all(root: Path, suite: Suite, folder: Path) -> Iterator[CollectedCase]:
    """Import all modules of a suite, and return a case for each that cannot be imported."""
    names = [root.name]
    while names:
        name = names.pop(0)
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            refuse_uncompiled(error, suite, folder)
            reason = f"{name} cannot be imported: {reason_of(error)}"
            yield CollectedCase(named(f"{name.partition('.')[2] or name}.module", {}), None, str(root), reason=reason)
            continue
        places = getattr(module, "__path__", [])
        names += [found.name for found in pkgutil.iter_modules(places, f"{name}.")]


def _case(benchmark: Any, index: int, values: tuple[str, ...], *, once: bool) -> CollectedCase:
    names = named(benchmark.name, dict(zip(benchmark.param_names, map(value_of, values), strict=True)))
    where = f"{inspect.getsourcefile(benchmark.func) or ''}:{getattr(benchmark.func, '__name__', '')}"
    if benchmark.type == "timeraw" or type(benchmark).__name__ == "TimerawBenchmark":
        return CollectedCase(names, _RawBody(benchmark, index, once=once), where)
    if benchmark.type in (*_TIMED, *_MEMORY):
        return CollectedCase(names, _AsvBody(benchmark, index, once=once), where)
    if benchmark.type == "track":
        metric = identifier(benchmark.name.rpartition(".")[2].removeprefix("track_"))
        unit = "1" if benchmark.unit == "unit" else line(benchmark.unit) or "1"
        return CollectedCase(names, _TrackBody(benchmark, index, metric), where, metric, unit)
    return CollectedCase(
        names, None, where, reason=f"a gate does not measure asv's benchmarks of type {benchmark.type}"
    )


#: What each setup_cache of this process has returned.
_CACHES: dict[Any, Any] = {}


def _shared(key: str, make: Callable[[], Any]) -> Any:
    """Return what a setup_cache returns: the first process of a side makes it, the others read it in its folder.

    They share it in a file in memory that belongs to the gate, so what is unpickled was pickled by the same project in
    the same gate. A value that cannot be pickled is made once in each process.
    """
    path = os.environ.get(SHARED)
    made: dict[str, tuple[str, bytes]] = {}
    if path:
        # A process may have been ended while it wrote.
        with contextlib.suppress(EOFError, pickle.UnpicklingError), Path(path).open("rb") as file:
            made = pickle.load(file)  # noqa: S301
    if key in made:
        folder, value = made[key]
        os.chdir(folder)
        return pickle.loads(value)  # noqa: S301
    # asv runs it, and what uses it, in an empty folder.
    folder = tempfile.mkdtemp(dir=os.environ.get(SCRATCH))
    os.chdir(folder)
    # What it draws without a seed is the same on both sides.
    random.seed(_SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(_SEED)
    value = make()
    with contextlib.suppress(pickle.PicklingError, TypeError, AttributeError):
        made[key] = (folder, pickle.dumps(value))
        if path:
            with Path(path).open("wb") as file:
                pickle.dump(made, file)
    return value


class _AsvBody(Body):
    """A benchmark's function, with setup before and teardown after the calls of a phase."""

    def __init__(self, benchmark: Any, index: int, *, once: bool) -> None:
        super().__init__(once=once)
        self._benchmark = benchmark
        self._index = index

    def prepare(self) -> None:
        """Run setup_cache, and choose the number of calls unless the benchmark says it."""
        benchmark = self._benchmark
        if benchmark._params:
            benchmark.set_param_idx(self._index)
        if benchmark._setup_cache is not None:
            key = benchmark.setup_cache_key
            if key not in _CACHES:
                _CACHES[key] = _shared(key, benchmark.do_setup_cache)
            if _CACHES[key] is not None:
                add = getattr(benchmark, "set_cache", None) or benchmark.insert_param
                add(_CACHES[key])
        self._set_up()
        self.tear_down()
        if not self.once:
            self.number = getattr(benchmark, "number", 0) or 1
            if not getattr(benchmark, "number", 0):
                self.choose(self._seconds)

    def measure(self, phase: PhaseClock) -> Any:
        """Set up, measure the calls, and tear down."""
        self._set_up()
        try:
            return self.timed(phase)
        finally:
            self.tear_down()

    def timed(self, phase: PhaseClock) -> Any:
        """Measure the calls; what they return is not judged."""
        self.calls(phase, self.function())

    def function(self) -> Any:
        """Return the benchmark's function with its arguments."""
        benchmark = self._benchmark
        build = getattr(benchmark, "_build_params", None)
        return partial(benchmark.func, *(build() if build else benchmark._current_params))

    def seconds(self, number: int) -> float:
        """Return the seconds of some calls."""
        return seconds_of(self.function(), number)

    def _seconds(self, number: int) -> float:
        self._set_up()
        try:
            return self.seconds(number)
        finally:
            self.tear_down()

    def _set_up(self) -> None:
        if self._benchmark.do_setup():
            raise CannotRunError("asv skips it with these parameters")

    def tear_down(self) -> None:
        """Tear down what setup made."""
        self._benchmark.do_teardown()


class _RawBody(_AsvBody):
    """Code that a new interpreter runs."""

    def timed(self, phase: PhaseClock) -> Any:
        """Measure the memory around the interpreter, and take its word for the times."""
        with phase(PHASE):
            wall_s, cpu_s = self._run(self.number)
        figures = phase.figures[PHASE]
        figures.wall_s[-1], figures.cpu_s[-1], figures.calls = wall_s, cpu_s, self.number

    def seconds(self, number: int) -> float:
        """Return the seconds of some calls, by the interpreter that makes them."""
        return self._run(number)[0]

    def _run(self, number: int) -> tuple[float, float]:
        made = self.function()()
        code, setup = (made, "pass") if isinstance(made, str) else made
        more = getattr(self._benchmark, "env", None)
        done = subprocess.run(
            [sys.executable, "-c", _RAW],
            input=json.dumps([_dedented(code), _dedented(setup), number]),
            env={**os.environ, **(more if isinstance(more, Mapping) else {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it printed nothing"]
            raise InvalidOutputError(f"its code ended with exit code {done.returncode}: {lines[-1]}")
        wall_s, cpu_s = json.loads(done.stdout.splitlines()[-1])
        return wall_s, cpu_s


def _dedented(code: str) -> str:
    return inspect.cleandoc(code)


class _TrackBody(_AsvBody):
    """A function that returns a number, of which less is better."""

    def __init__(self, benchmark: Any, index: int, metric: str) -> None:
        super().__init__(benchmark, index, once=True)
        self._metric = metric

    def timed(self, phase: PhaseClock) -> Tracked:
        """Return the number."""
        value = finite(_plain(self.calls(phase, self.function())))
        if value is None:
            raise InvalidOutputError("it returned no finite number to track")
        return Tracked({self._metric: value})


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    return value.item() if hasattr(value, "item") else value
