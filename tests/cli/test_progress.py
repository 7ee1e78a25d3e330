"""Progress of a run: the time left from planted durations, one live line in a terminal, a line per trial elsewhere."""

from __future__ import annotations

from io import StringIO

import msgspec
import pytest

from harness.cli.progress import RunProgress, TimeLeft
from harness.records import Record, Seeds, Status, Trial
from harness.report.terminal import Screen


def trial(strategy: str, block: int = 0, *, dataset: str = "small", task: str = "drifting") -> Trial:
    return Trial("bandits", task, strategy, dataset, "clean", {}, {}, block, Seeds(block, 1, 2))


def ended(trial: Trial, elapsed_s: float, status: Status = "ok") -> Record:
    return Record(trial, status, elapsed_s=elapsed_s)


def test_nothing_is_forecast_before_a_trial_has_ended() -> None:
    assert TimeLeft([trial("a")]).seconds is None


def test_a_strategy_is_expected_to_take_the_mean_of_what_it_took() -> None:
    trials = [trial(name, block) for block in range(4) for name in "ab"]
    left = TimeLeft(trials)
    for block, (of_a, of_b) in enumerate([(1.0, 10.0), (3.0, 20.0)]):
        left.end(ended(trial("a", block), of_a))
        left.end(ended(trial("b", block), of_b))
    assert left.seconds == pytest.approx(2 * (2.0 + 15.0))


def test_this_run_counts_before_earlier_ones() -> None:
    earlier = [ended(trial("a"), 100.0), ended(trial("b"), 7.0)]
    left = TimeLeft([trial("a", 0), trial("a", 1), trial("b", 0)], earlier)
    assert left.seconds == pytest.approx(100.0 + 100.0 + 7.0)
    left.end(ended(trial("a", 0), 2.0))
    assert left.seconds == pytest.approx(2.0 + 7.0)


def test_an_unknown_strategy_takes_as_long_as_in_another_cell_else_as_all_trials() -> None:
    small, large, other = trial("a"), trial("a", dataset="large"), trial("b", task="stationary")
    left = TimeLeft([small, large, other])
    left.end(ended(small, 4.0))
    assert left.seconds == pytest.approx(4.0 + 4.0)
    left.end(ended(large, 20.0))
    assert left.of(small) == 4.0
    assert left.seconds == pytest.approx(12.0)


def test_no_time_is_left_after_the_last_trial() -> None:
    left = TimeLeft([trial("a")])
    left.end(ended(trial("a"), 5.0))
    assert left.seconds == 0.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(clock: Clock, *, terminal: bool = True, verbose: bool = False, at_once: int = 1) -> RunProgress:
    out = Screen(file=StringIO(), force_terminal=terminal, width=100)
    trials = [trial("a", block) for block in range(3)]
    return RunProgress(out, trials, 1, at_once=at_once, verbose=verbose, clock=clock)


def test_the_live_line_says_task_count_and_time_left() -> None:
    clock = Clock()
    shown = progress(clock)
    shown.begin(trial("a", 0))
    assert shown.line().plain == "bandits/drifting  1 of 4 trials"
    clock.now = 120.0
    shown.receive(ended(trial("a", 0), 120.0), "")
    shown.begin(trial("a", 1))
    assert shown.line().plain == "bandits/drifting  2 of 4 trials  about 4 min left"
    clock.now = 180.0
    assert shown.line().plain == "bandits/drifting  2 of 4 trials  about 3 min left"
    # A trial that takes longer than expected leaves the time of those after it.
    clock.now = 1000.0
    assert shown.line().plain == "bandits/drifting  2 of 4 trials  about 2 min left"
    shown.receive(ended(trial("a", 1), 120.0, "failed"), "")
    assert shown.line().plain == "bandits/drifting  3 of 4 trials, 1 failed  about 2 min left"


def test_trials_at_once_divide_the_time_left() -> None:
    shown = progress(Clock(), at_once=2)
    shown.receive(ended(trial("a", 0), 60.0), "")
    assert shown.line().plain == "2 of 4 trials  about 1 min left"


@pytest.mark.parametrize(
    ("terminal", "verbose", "lines"), [(True, False, 0), (True, True, 1), (False, False, 1), (False, True, 1)]
)
def test_a_trial_has_a_line_elsewhere_than_in_a_terminal_or_on_demand(
    terminal: bool, verbose: bool, lines: int
) -> None:
    out = Screen(file=StringIO(), force_terminal=terminal, width=100)
    with RunProgress(out, [trial("a")], 0, verbose=verbose) as shown:
        shown.begin(trial("a"))
        shown.receive(msgspec.structs.replace(ended(trial("a"), 1.5, "failed"), reason="planted"), "")
    assert isinstance(out.file, StringIO)
    said = out.file.getvalue()
    assert said.count("[1/1] failed a on small, clean, block 0, 1.50 s: planted") == lines
    assert ("bandits/drifting" in said) == terminal


def test_earlier_runs_are_read_for_a_terminal_only() -> None:
    def refuse() -> list[Record]:
        raise AssertionError("read")

    RunProgress(Screen(file=StringIO(), force_terminal=False), [trial("a")], 0, earlier=refuse)
    with pytest.raises(AssertionError, match="read"):
        RunProgress(Screen(file=StringIO(), force_terminal=True), [trial("a")], 0, earlier=refuse)
