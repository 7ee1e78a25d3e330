"""pytest-benchmark's tests, collected by pytest; a plugin in place of the fixture `benchmark` measures what they give.

A test runs as a whole for each measurement, with fixtures of its function made anew; those of wider scope stay. pytest
is called as its own command line calls it, in parts, because one process runs the same test again and again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CannotRunError, InvalidOutputError, UsageError
from harness.gate.foreign.suite import SCRATCH, Suite
from harness.interop.foreign.cases import Body, CollectedCase, seconds_of
from harness.interop.foreign.modules import import_project, refuse_uncompiled
from harness.interop.imported_runs import ImportedResult
from harness.interop.pytest_benchmark.exports import SavedBenchmark
from harness.interop.pytest_benchmark.imports import named
from harness.measure.clock import PhaseClock
from harness.measure.job import reason_of


def collect(suite: Suite, folder: Path, *, once: bool) -> list[CollectedCase]:
    """Collect the tests with the fixture `benchmark`.

    Raises
    ------
    UsageError
        When pytest refuses, or the project's own package cannot be imported.
    """
    session, plugin = _collected(suite, folder)
    files = {item.path for item in session.items}
    import_project([*files, *(file for place in suite.taken for file in _sources(folder / place))], folder)
    cases = [
        CollectedCase(_named(item), _TestBody(item, plugin, once=once), _where(item))
        for item in session.items
        if isinstance(item, pytest.Function) and "benchmark" in item.fixturenames
    ]
    for name, error in plugin.failed.items():
        refuse_uncompiled(error, suite, folder)
        reason = f"{name} cannot be collected: {reason_of(error)}"
        cases.append(CollectedCase(named(SavedBenchmark("module", {}, f"{name}::module")), None, name, reason=reason))
    return cases


def _sources(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _collected(suite: Suite, folder: Path) -> tuple[pytest.Session, _Plugin]:
    from _pytest.config import _prepareconfig

    # The project's own options (--cov, -n) are for its tests; they would change what is measured.
    os.environ.pop("PYTEST_ADDOPTS", None)
    scratch = tempfile.mkdtemp(dir=os.environ.get(SCRATCH))
    options = ["--rootdir", str(folder), "-o", "addopts=", "-p", "no:cacheprovider", "--capture=no", "-q"]
    plugin = _Plugin()
    try:
        config = _prepareconfig([*options, "--basetemp", f"{scratch}/pytest", str(folder / suite.path)])
        config._do_configure()
        # Its options, markers and hooks of a conftest stay known; its fixture and reports would refuse another fixture.
        if config.pluginmanager.has_plugin("benchmark"):
            config.pluginmanager.unregister(name="benchmark")
        config.pluginmanager.register(plugin, "bakeoff")
        session = pytest.Session.from_config(config)
        config.hook.pytest_sessionstart(session=session)
        config.hook.pytest_collection(session=session)
    except (Exception, SystemExit) as error:
        raise UsageError(f"pytest cannot collect {suite.path}: {reason_of(error)}") from error
    return session, plugin


def _named(item: pytest.Function) -> ImportedResult:
    """Name a test as an import of its results does."""
    marker = item.get_closest_marker("benchmark")
    group = marker.kwargs.get("group") if marker else None
    params = item.callspec.params if hasattr(item, "callspec") else None
    # As pytest-benchmark writes its files.
    plain = json.loads(json.dumps(params, default=lambda value: f"UNSERIALIZABLE[{value!r}]", skipkeys=True))
    return named(SavedBenchmark(item.name, {}, item.nodeid, group, plain))


def _where(item: pytest.Function) -> str:
    path, line, _ = item.reportinfo()
    return f"{path}:{(line or 0) + 1}"


class _Plugin:
    """The fixture `benchmark`, and what could not be collected.

    Attributes
    ----------
    measure
        What is done with the function that a test gives; set while a test runs.
    failed
        Path of a module to the error of its import.
    """

    def __init__(self) -> None:
        self.measure: _Measure | None = None
        self.failed: dict[str, BaseException] = {}

    @pytest.fixture
    def benchmark(self, request: pytest.FixtureRequest) -> _Benchmark:
        """Take the place of pytest-benchmark's fixture."""
        if self.measure is None:
            raise RuntimeError("no measurement is under way")
        return _Benchmark(request.node, self.measure)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Remember why a module could not be collected."""
        report = yield
        call = getattr(report, "call", None)
        if report.outcome == "failed":
            error = call.excinfo.value if call is not None and call.excinfo else RuntimeError(str(report.longrepr))
            self.failed[collector.nodeid] = error.__cause__ or error
        return report


#: Measures a function: a fixed number of calls, if one is given, between what is done before and after.
_Measure = Callable[[Callable[[], Any], int], Any]


class _Benchmark:
    """What a test gets as `benchmark`: the same calls as pytest-benchmark's fixture."""

    def __init__(self, node: pytest.Item, measure: _Measure) -> None:
        marker = node.get_closest_marker("benchmark")
        self.name, self.fullname = node.name, node.nodeid
        self.group = marker.kwargs.get("group") if marker else None
        self.extra_info: dict[str, Any] = {}
        self.enabled, self.disabled = True, False
        self.stats = None
        self._measure = measure
        self._used = False

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Measure calls of a function, and return what the last one returned."""
        self._use()
        return self._measure(partial(function, *args, **kwargs), 0)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,  # noqa: ARG002 - the gate says how many rounds there are
        warmup_rounds: int = 0,  # noqa: ARG002
        iterations: int = 1,
    ) -> Any:
        """Measure a round of as many calls as the test says, with its setup and teardown around it."""
        self._use()
        if setup is not None:
            args, kwargs = setup() or (args, kwargs)
        call = partial(target, *args, **(kwargs or {}))
        output = self._measure(call, iterations)
        if teardown is not None:
            teardown(*args, **(kwargs or {}))
        return output

    def weave(self, *_: Any, **__: Any) -> Any:
        """Refuse what is measured inside of other calls."""
        raise InvalidOutputError("a gate does not measure benchmark.weave: give the function to benchmark(...)")

    patch = weave

    def _use(self) -> None:
        if self._used:
            raise InvalidOutputError("it uses its fixture benchmark twice: make two tests of it")
        self._used = True


class _TestBody(Body):
    """A test, run anew for each measurement."""

    def __init__(self, item: pytest.Function, plugin: _Plugin, *, once: bool) -> None:
        super().__init__(once=once)
        self._item = item
        self._plugin = plugin
        self._fixed = 0

    def prepare(self) -> None:
        """Run the test once, to choose the number of calls."""
        if not self.once:
            self._run(self._choose)

    def measure(self, phase: PhaseClock) -> Any:
        """Run the test, with its calls in the phase; what they return is for the test to check."""
        self._run(lambda function, _: self.calls(phase, function))

    def _choose(self, function: Callable[[], Any], fixed: int) -> Any:
        self.number = fixed or 1
        output = function()
        if not fixed:
            self.choose(partial(seconds_of, function))
        return output

    def _run(self, measure: _Measure) -> None:
        from _pytest.runner import runtestprotocol

        item, errors = self._item, []
        self._plugin.measure = measure
        item._initrequest()
        # The parent as the next one: what belongs to the function alone is torn down.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]
        self._plugin.measure = None
        for report in reports:
            if report.skipped:
                reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
                raise CannotRunError(reason.removeprefix("Skipped: "))
            if report.failed:
                errors.append(_message(report))
        if errors:
            raise InvalidOutputError(errors[0])


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return f"its {report.when} failed: {next(iter(text.strip().splitlines()), 'without a message')}"
