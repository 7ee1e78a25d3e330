"""Suites: which trials, what came of them, and a clock that plays samples back."""

from __future__ import annotations

import timeit
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interop.small_project import IMPORT, MISSING, RAISE, write

from harness.errors import UsageError
from harness.interop.suites import ReplayClock, Suite, SuiteResult, run_suite, suites
from harness.records import Phase, Record, Seeds, Trial

VALID = {("plain", "clean"), ("dated", "clean"), ("dated", "aged")}
STRATEGIES = ["four", "loses", "fails", "elsewhere"]


def _suite(project: Path) -> Suite:
    (suite,) = suites(project, ("small",))
    return suite


def test_cases_are_the_valid_combinations_of_the_quick_profile(project: Path) -> None:
    cases = _suite(project).cases
    assert len(cases) == len(set(cases))
    assert set(cases) == {(strategy, *data) for strategy in STRATEGIES for data in VALID}


def test_full_profile_is_chosen_by_the_environment_and_leaves_sweeps_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_PROFILE", "full")
    suite = _suite(project)
    assert set(suite.cases) == {(strategy, *data) for strategy in STRATEGIES for data in VALID | {("other", "clean")}}
    assert len(suite.trials) == len(suite.cases)
    assert all(trial.params == {"rows": 100, "threads": 1} and not trial.options for trial in suite.trials)


def test_blocks_are_set_by_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {trial.block for trial in _suite(project).trials} == {0, 1}
    monkeypatch.setenv("BAKEOFF_BLOCKS", "1")
    assert {trial.block for trial in _suite(project).trials} == {0}


@pytest.mark.parametrize(("name", "value"), [("PROFILE", "ful"), ("BLOCKS", "0"), ("BLOCKS", "-1"), ("BLOCKS", "x")])
def test_bad_variables_are_named(project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"BAKEOFF_{name}", value)
    with pytest.raises(UsageError, match=f"BAKEOFF_{name}={value}"):
        _suite(project)


def test_unknown_topic_is_refused_with_a_hint(project: Path) -> None:
    with pytest.raises(UsageError, match="did you mean small"):
        suites(project, ("smal",))


def test_cases_without_their_data_are_skipped_and_the_others_run(tmp_path: Path) -> None:
    suite = _suite(write(tmp_path, IMPORT, RAISE, MISSING))
    assert (suite.why_not("four", "dated"), suite.why_not("four", "plain")) == ("bakeoff data get dated", "")
    results = run_suite(suite, [trial for trial in suite.trials if trial.strategy == "four" and trial.block == 0])
    assert {case[1]: result.skipped for case, result in results.items()} == {
        "plain": "",
        "dated": "bakeoff data get dated",
    }
    assert results["four", "plain", "clean"].samples["gain"] == [4.0]


def test_a_case_tells_of_every_block_or_why_not(project: Path) -> None:
    suite = _suite(project)
    chosen = [trial for trial in suite.trials if trial.dataset == "plain"]
    outcomes = run_suite(suite, chosen)
    assert {case[0] for case in outcomes} == set(STRATEGIES)
    assert outcomes["four", "plain", "clean"].samples["gain"] == [4.0, 4.0]
    assert outcomes["fails", "plain", "clean"].failed == "block 0: failed: RuntimeError: planted in phase fit"
    assert outcomes["elsewhere", "plain", "clean"].skipped == "package no_such_package is not installed"
    assert not outcomes["elsewhere", "plain", "clean"].failed
    # Two blocks, and the first once more for memory.
    assert (project / "trials").read_text() == "x" * 3


def _record(block: int, *phases: tuple[str, float]) -> Record:
    trial = Trial("t", "t", "s", "d", "clean", {}, {}, block, Seeds(0, 0, 0))
    return Record(trial, "ok", phases={name: Phase([second], [second]) for name, second in phases})


def test_samples_begin_with_the_median_and_are_those_that_every_trial_has() -> None:
    outcome = SuiteResult([_record(block, ("fit", second)) for block, second in enumerate((5.0, 1.0, 2.0))])
    assert outcome.samples["fit.wall_s"] == [2.0, 1.0, 5.0]
    outcome.records.append(_record(3, ("predict", 1.0)))
    assert "fit.wall_s" not in outcome.samples
    assert len(outcome.samples["wall_s"]) == 4


def test_memory_is_told_by_the_memory_pass() -> None:
    records = [_record(block, ("fit", 1.0)) for block in range(3)]
    for record, peak in zip(records, (10, 20, 30), strict=True):
        record.phases["fit"].peak_bytes, record.memory_source = peak, "exact"
    assert SuiteResult(records).samples["peak_bytes"] == [20, 10, 30]
    records[0].memory_source = "quiet"
    assert SuiteResult(records).samples["peak_bytes"] == [10]
    assert SuiteResult(records).samples["wall_s"] == [1.0] * 3


@given(st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=20))
def test_a_timer_reads_the_samples_exactly(samples: list[float]) -> None:
    replay = ReplayClock(samples)
    timer = timeit.Timer(replay.step, timer=replay.now)
    assert [timer.timeit(1) for _ in samples] == samples
    with pytest.raises(RuntimeError, match="BAKEOFF_BLOCKS"):
        replay.step()


def test_a_case_that_diverged_in_a_block_has_metrics_only() -> None:
    records = [_record(block, ("fit", 1.0)) for block in range(3)]
    for record in records:
        record.metrics["loss"] = 0.5
    records[1].diverged = 12.0
    outcome = SuiteResult(records)
    assert outcome.diverged == "diverged at step 12 in 1 of 3 blocks"
    assert outcome.samples == {"loss": [0.5] * 3}
    assert not outcome.failed
