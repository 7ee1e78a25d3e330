"""The registered strategies as pytest-benchmark cases; a module that pytest collects imports the names in `__all__`.

pytest-benchmark would time a function in the process of pytest, with the libraries, memory and threads that other cases
left there. Here it receives the times of trials instead: each round is a trial in a fresh process, and its time is the
wall time of all phases of the strategy but set-up, without loading and judging. Each case therefore has a timer of its
own, set by pytest-benchmark's marker.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness.interop.figures import extra_figures
from harness.interop.suites import Case, ReplayClock, Suite, SuiteResult, case_of, run_suite, suites

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["measured", "outcomes", "pytest_generate_tests", "test_strategy"]

#: The parameters of a case, which pytest-benchmark writes into its files: plain text.
ARGUMENTS = ("task", "strategy", "dataset", "scenario")


@dataclass(frozen=True, eq=False)
class SuiteCase:
    """A case of a suite, with the clock that replays its times."""

    suite: Suite
    case: Case
    replay: ReplayClock = field(default_factory=ReplayClock)

    @property
    def key(self) -> tuple[str, ...]:
        """Values of `ARGUMENTS`."""
        return (f"{self.suite.task.topic}/{self.suite.task.name}", *self.case)


_CASES = pytest.StashKey[dict[tuple[str, ...], SuiteCase]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for every strategy, data set and scenario of the project that pytest runs in."""
    if "measured" in metafunc.fixturenames:
        cases = {measured.key: measured for measured in _measured(metafunc.config)}
        metafunc.config.stash[_CASES] = cases
        metafunc.parametrize(ARGUMENTS, [_parameter(measured) for measured in cases.values()])


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> SuiteCase:
    """Return the case of a test."""
    return _of(request.node)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Mapping[SuiteCase, SuiteResult]:
    """Run the trials of all selected cases at once, block by block and in shuffled order, as `bakeoff run` does."""
    chosen: dict[Suite, dict[Case, SuiteCase]] = {}
    for item in request.session.items:
        if (
            isinstance(item, pytest.Function)
            and "measured" in item.fixturenames
            and not item.get_closest_marker("skip")
        ):
            measured = _of(item)
            chosen.setdefault(measured.suite, {})[measured.case] = measured
    return {
        cases[case]: outcome
        for suite, cases in chosen.items()
        for case, outcome in run_suite(suite, [trial for trial in suite.trials if case_of(trial) in cases]).items()
    }


@pytest.mark.usefixtures(*ARGUMENTS)
def test_strategy(measured: SuiteCase, outcomes: Mapping[SuiteCase, SuiteResult], benchmark: BenchmarkFixture) -> None:
    """Give pytest-benchmark a round for each block, the wall time of all phases, and everything else as extra_info."""
    outcome = outcomes[measured]
    if outcome.failed:
        pytest.fail(outcome.failed, pytrace=False)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    if outcome.diverged:
        pytest.skip(f"it {outcome.diverged}, so it has no time that compares")
    samples = outcome.samples
    measured.replay.load(samples["wall_s"])
    benchmark.extra_info.update(_extra_info(measured.suite, outcome))
    benchmark.pedantic(measured.replay.step, rounds=len(samples["wall_s"]))  # type: ignore[no-untyped-call]


def _measured(config: pytest.Config) -> Iterator[SuiteCase]:
    for suite in suites(config.rootpath):
        for case in suite.cases:
            yield SuiteCase(suite, case)


def _parameter(measured: SuiteCase) -> Any:
    task, strategy, dataset, scenario = measured.key
    marks = [pytest.mark.benchmark(group=f"{task} on {dataset}, {scenario}", timer=measured.replay.now)]
    reason = measured.suite.why_not(strategy, dataset)
    if reason:
        marks.append(pytest.mark.skip(reason=reason))
    return pytest.param(*measured.key, id="-".join(measured.key).replace("/", "-"), marks=marks)


def _of(item: pytest.Function) -> SuiteCase:
    params = item.callspec.params
    return item.config.stash[_CASES][tuple(str(params[name]) for name in ARGUMENTS)]


def _extra_info(suite: Suite, outcome: SuiteResult) -> dict[str, Any]:
    """Return the figures that pytest-benchmark has no fields for, as medians over the blocks."""
    samples = outcome.samples
    medians = {name: statistics.median(numbers) for name, numbers in samples.items()}
    trials = [record.trial for record in outcome.records]
    metrics = [metric.name for metric in suite.task.metrics]
    (version,) = (dataset.version for dataset in suite.datasets if dataset.name == trials[0].dataset)
    return {
        "metrics": {name: medians[name] for name in metrics},
        "directions": {metric.name: metric.direction for metric in suite.task.metrics},
        "units": {metric.name: metric.unit for metric in suite.task.metrics},
        **extra_figures(samples),
        "phases": {name: number for name, number in medians.items() if "." in name},
        **({"setup": suite.task.setup} if suite.task.setup else {}),
        "params": trials[0].params,
        "dataset_version": version,
        "seeds": [{"data": trial.seeds.data, "model": trial.seeds.model} for trial in trials],
    }
