"""Tuning: what is tried, on which rows, what is chosen, and how it fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import psutil
import pytest
from support import Project

from harness.config import Config
from harness.data.tabular import Split, Table, holdout, visible
from harness.declare import Dataset, Judgement, Metric, Topic, Tuning
from harness.errors import CannotRunError, TuningError
from harness.execute.executor import Limits, blocks_of
from harness.execute.local import LocalExecutor
from harness.interop.suites import case_of, run_suite, suites
from harness.measure import tune as tuning
from harness.measure.client import Server
from harness.measure.job import Job
from harness.measure.messages import Request, Response
from harness.measure.tune import draw, tune
from harness.records import Phase, Record, Scalar, Seeds, Trial, Try
from harness.registry import Registry
from harness.store.read import read

SEARCH: dict[str, list[Scalar]] = {"level": [1.0, 2.0, 3.0, 4.0], "bins": [1, 2]}
SEEDS = Seeds(0, 1, 2)
FAILED = "all 4 tries of tuning failed, the last with: "


def split() -> Split:
    rng = np.random.default_rng(0)

    def table(rows: int) -> Table:
        return Table(rng.random((rows, 2), dtype=np.float32), (np.arange(rows) % 4 == 0).astype(np.int8))

    return Split(table(80), table(40), ("a", "b"))


def job(
    function: Callable[..., Any],
    *,
    data: Split | None = None,
    strategy: str = "one-tuned",
    tries: int = 4,
    seeds: Seeds = SEEDS,
    direction: Any = "lower",
) -> Job:
    """Return a job of a strategy with a search; its judge returns what the strategy does."""
    topic = Topic("topic", title="T")
    task = topic.task(
        "task",
        title="T",
        datasets=[Dataset("data", lambda params, rng: data or split())],
        phases=["fit"],
        metrics=[Metric("loss", direction=direction, unit="1"), Metric("other", direction="lower", unit="1")],
        judge=lambda data, output: Judgement({"loss": output, "other": 0.0}),
        view=visible,
        tuning=Tuning(tries, holdout(0.25)),
    )
    for name in ("one", "two"):
        task.strategy(name, search=SEARCH)(function)
    trial = Trial("topic", "task", strategy, "data", "clean", {"threads": 1}, {}, 0, seeds)
    return Job.of(trial, Registry({"topic": topic}, {}, {}), [])


def far_from_three(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
    with phase("fit"):
        return abs(level - 3) + bins / 10


def test_the_best_of_all_tries_is_chosen_by_the_first_metric() -> None:
    tuned = tune(job(far_from_three, tries=100))
    assert len(tuned.tries) == 9
    assert tuned.tries[0] == Try({}, 2.4)
    assert tuned.choice == {"level": 3.0, "bins": 1}
    assert min(one.value for one in tuned.tries if one.value is not None) == 0.1


def test_a_metric_whose_higher_values_are_better() -> None:
    assert tune(job(far_from_three, tries=100, direction="higher")).choice == {}


def test_the_earliest_of_equal_tries_is_chosen() -> None:
    def constant(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
        with phase("fit"):
            return 1.0

    assert tune(job(constant)).choice == {}


def test_draws_are_the_defaults_and_different_sets_and_depend_on_the_seed_alone() -> None:
    drawn = list(draw(job(far_from_three)))
    assert drawn[0] == {}
    assert len(drawn) == len({str(options) for options in drawn}) == 4
    assert drawn == list(draw(job(far_from_three, strategy="two-tuned", seeds=Seeds(9, 1, 9))))
    others = [list(draw(job(far_from_three, seeds=Seeds(0, seed, 2)))) for seed in range(5)]
    assert any(drawn != other for other in others)
    # Level 1 is the default, so it is not among the options.
    assert all(options.get("level") != 1.0 for options in others[0])


def test_no_more_tries_than_sets() -> None:
    assert job(far_from_three, tries=100).strategy.tries == len(list(draw(job(far_from_three, tries=100)))) == 9


def rows_seen(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
    with phase("fit"):
        data = problem.data
        return float(data.train.X.sum() * 1e3 + data.test.sum() + len(data.train))


def test_all_tries_of_all_strategies_of_a_block_see_the_same_rows() -> None:
    one, two = (tune(job(rows_seen, strategy=name)) for name in ("one-tuned", "two-tuned"))
    assert len({attempt.value for attempt in (*one.tries, *two.tries)}) == 1
    other = tune(job(rows_seen, seeds=Seeds(5, 1, 2)))
    assert other.tries[0].value != one.tries[0].value


def test_nothing_of_the_test_set_is_read() -> None:
    """A test set of no number and flipped labels changes neither the values of the tries nor the choice."""
    clean = split()
    poison = Table(np.full_like(clean.test.X, np.nan), 1 - clean.test.y)

    def fit(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
        with phase("fit"):
            return float(abs(problem.data.train.y.mean() * 8 * level + problem.data.test.sum() - 12)) + bins

    before, after = (tune(job(fit, data=data)) for data in (clean, replace(clean, test=poison)))
    assert all(attempt.value is not None for attempt in before.tries)
    assert (before.tries, before.choice) == (after.tries, after.choice)


def test_a_try_that_fails_has_no_value_and_is_not_chosen() -> None:
    def fails_at_its_defaults(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
        with phase("fit"):
            if level == 1.0:
                raise ValueError("planted")
            return level

    tuned = tune(job(fails_at_its_defaults, tries=100))
    assert [one.options for one in tuned.tries if one.value is None] == [
        one.options for one in tuned.tries if "level" not in one.options
    ]
    assert tuned.choice["level"] == 2.0


def raises(error: BaseException) -> Callable[..., Any]:
    def fails(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
        with phase("fit"):
            raise error

    return fails


def ends(problem: Any, phase: Any, level: float = 1.0, bins: int = 4) -> float:
    os._exit(7)


@pytest.mark.parametrize(
    ("function", "error", "sentence"),
    [
        (
            raises(ValueError("planted")),
            TuningError,
            f"{FAILED}ValueError: planted",
        ),
        (raises(SystemExit(3)), TuningError, f"{FAILED}called sys.exit(3)"),
        (raises(CannotRunError("no such thing")), CannotRunError, "no such thing"),
        (ends, TuningError, "tuning ended without a result, exit code 7"),
    ],
)
def test_why_there_is_no_choice(function: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as caught:
        tune(job(function))
    assert str(caught.value) == sentence


def test_the_chosen_options_are_those_that_run() -> None:
    made = replace(job(lambda problem, phase, level=1.0, bins=4: None), choice={"level": 4.0})
    seen: dict[str, Any] = {}
    strategy = replace(made.strategy, run=lambda problem, phase, **options: seen.update(options))
    made = replace(made, strategy=strategy)

    class Clock:
        running = None
        figures = MappingProxyType({"fit": Phase([0.0], [0.0])})

    made.call(made.problem(split()), Clock())  # type: ignore[arg-type]
    assert seen == {"level": 4.0}
    assert not made.untuned


PROJECT = '''
"""A strategy that remembers what its process has done, and one for each way in which tuning can end."""
import os, time
import numpy as np
from harness import Dataset, Judgement, Metric, Topic, Tuning

calls = []
topic = Topic("tuned", title="Tuned")
task = topic.task(
    "one", title="One", datasets=[Dataset("data", lambda params, rng: np.arange(8.0))],
    phases=["fit"], metrics=[Metric(name, direction="lower", unit="1") for name in ("loss", "calls")],
    judge=lambda data, output: Judgement({"loss": output[0], "calls": output[1]}),
    tuning=Tuning(3, lambda data, rng: data[:4]),
)
SEARCH = {"level": [2, 3, 4]}


@task.strategy("far", search=SEARCH)
def far(problem, phase, level=1):
    calls.append(level)
    with phase("fit"):
        memory = np.ones(level * 1_000_000)
    return len(problem.data) * 100 - level, len(calls)


@task.strategy("hangs", search=SEARCH)
def hangs(problem, phase, level=1):
    with phase("fit"):
        if len(problem.data) == 4:
            time.sleep(100)
    return 1, 1


@task.strategy("leaves", search=SEARCH)
def leaves(problem, phase, level=1):
    with phase("fit"):
        if len(problem.data) == 4 and os.fork() == 0:
            time.sleep(100)
    return 1, 1


@task.strategy("breaks", search=SEARCH)
def breaks(problem, phase, level=1):
    with phase("fit"):
        raise RuntimeError("planted")


@task.strategy("stumbles", search=SEARCH)
def stumbles(problem, phase, level=1):
    with phase("fit"):
        if len(problem.data) > 4:
            raise RuntimeError("planted")
    return level, 1
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("tuned")
    (folder / "tuned.py").write_text(PROJECT)
    (folder / "bakeoff.toml").write_text('topics = ["tuned.py"]\n')
    return Project(folder)


@pytest.fixture(scope="module")
def records(project: Project) -> dict[str, Any]:
    project.bakeoff("run", "--blocks", "1", "--timeout", "15", "--memory-pass", code=4)
    return {record.trial.strategy: record for record in read(project.runs()[0])[1]}


@pytest.mark.measured
def test_a_run_records_tries_and_choice_and_measures_the_choice_in_a_new_process(records: dict[str, Any]) -> None:
    tuned, plain = records["far-tuned"], records["far"]
    assert (tuned.status, len(tuned.tries), plain.tries, plain.choice) == ("ok", 3, [], {})
    assert tuned.tries[0] == Try({}, 399.0)
    level = tuned.choice["level"]
    assert min(one.value for one in tuned.tries) == 400.0 - level
    assert (plain.metrics, tuned.metrics) == ({"loss": 799, "calls": 1}, {"loss": 800 - level, "calls": 1})


@pytest.mark.measured
def test_the_phase_tune_is_shown_and_in_no_total(records: dict[str, Any]) -> None:
    phases = records["far-tuned"].phases
    assert {name: phase.in_total for name, phase in phases.items()} == {"tune": False, "fit": True}
    assert phases["fit"].held_bytes == records["far"].phases["fit"].held_bytes == 0


@pytest.mark.measured
def test_the_children_of_tuning_do_not_make_memory_sampled(tmp_path: Path) -> None:
    (tmp_path / "tuned.py").write_text(PROJECT)
    (tmp_path / "bakeoff.toml").write_text('topics = ["tuned.py"]\n')
    own = Project(tmp_path)
    own.bakeoff("run", "-s", "far-tuned", "--blocks", "1")
    (record,) = read(own.runs()[0])[1]
    assert (record.trial.strategy, record.memory_source) == ("far-tuned", "exact")


@pytest.mark.measured
def test_the_memory_pass_runs_the_choice(records: dict[str, Any]) -> None:
    record = records["far-tuned"]
    assert record.memory_source == "quiet"
    assert abs(record.phases["fit"].peak_bytes - 8e6 * record.choice["level"]) < 1e6


EXPECTED = {
    "hangs": ("timeout", "not done after 15 s in phase tune; killed"),
    "breaks": ("failed", "all 3 tries of tuning failed, the last with: RuntimeError: planted in phase tune"),
    "leaves": ("ok", "left 3 process(es) running; killed"),
}


@pytest.mark.measured
def test_how_tuning_fails(records: dict[str, Any]) -> None:
    ends = {name: (records[f"{name}-tuned"].status, records[f"{name}-tuned"].reason) for name in EXPECTED}
    assert ends == EXPECTED


@pytest.mark.measured
def test_a_trial_that_fails_after_tuning_keeps_tries_and_choice(records: dict[str, Any]) -> None:
    record = records["stumbles-tuned"]
    assert (record.status, record.reason) == ("failed", "RuntimeError: planted in phase fit")
    least = min(one.value for one in record.tries)
    assert len(record.tries) == 3
    assert (record.choice or {"level": 1}) == {"level": least}
    assert list(record.phases) == ["tune"]


@pytest.mark.measured
def test_no_process_is_left_behind(project: Project, records: dict[str, Any]) -> None:
    assert records["hangs-tuned"].status == "timeout"
    folders = [(process.info["cwd"], process.pid) for process in psutil.process_iter(["cwd"])]
    assert [pid for folder, pid in folders if folder == str(project.folder)] == []


@pytest.mark.measured
def test_other_tools_get_the_tuned_strategy_by_its_name(project: Project) -> None:
    """The suites that asv and pytest-benchmark run."""
    (suite,) = suites(project.folder)
    case = ("far-tuned", "data", "clean")
    assert case in suite.cases
    trials = [trial for trial in suite.trials if case_of(trial) == case][:1]
    result = run_suite(suite, trials)[case]
    assert result.failed == ""
    assert len(result.records[0].tries) == 3
    assert result.samples["cpu_s"] == result.samples["fit.cpu_s"]
    assert result.samples["tune.cpu_s"][0] > 0


def test_the_memory_pass_is_told_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def run(self: Server, request: Request) -> Response:
        asked.append(request)
        return Response(Record(request.trial, "ok", phases={"fit": Phase([1.0], [1.0])}, choice={"level": 3.0}))

    monkeypatch.setattr(Server, "run", run)
    made = job(far_from_three)
    registry = Registry({"topic": made.topic}, {}, {})
    executor = LocalExecutor(registry, Config(folder=Path()), Limits(1.0, 10**9, memory_pass=True))
    executor.run(blocks_of([made.trial]), lambda _ended: None)
    assert [request.choice for request in asked] == [None, {"level": 3.0}]


def test_a_generator_for_each_purpose() -> None:
    drawn = [tuning._generator(0, purpose).random() for purpose in ("tries", "holdout")]
    assert drawn[0] != drawn[1]


def test_a_project_declares_its_search_in_the_header(project: Project, records: dict[str, Any]) -> None:
    header, _ = read(project.runs()[0])
    cards = {card.name: card for card in header.strategies}
    assert (cards["far"].tries, cards["far-tuned"].tries) == (0, 3)
