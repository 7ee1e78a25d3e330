"""What the looks settle: planted differences, their error rate over all looks, and forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.analysis.aggregates import CellAggregate, RunBlock, StrategyAggregate
from harness.analysis.settled import Contest, Figure, contest

REGRET = Figure("regret", "lower", 0.0)
AUC = Figure("auc", "higher", 0.01)
CPU = Figure("cpu_s", "lower", 0.05)


def cell(one: NDArray[np.float64], other: NDArray[np.float64], name: str = "regret", first: int = 0) -> CellAggregate:
    """Make a cell of two strategies; blocks from `first` on are of the run ``added``, if that is given."""
    units = [RunBlock("added" if first and block >= first else "run", block, block) for block in range(len(one))]
    entries = {
        label: StrategyAggregate(label, {}, {name: values}) for label, values in (("one", one), ("other", other))
    }
    return CellAggregate("machine", cell=None, units=units, entries=entries)  # type: ignore[arg-type]


def meet(one: list[float], other: list[float], figure: Figure, first: int = 0) -> Contest:
    planted = cell(np.array(one), np.array(other), figure.name, first)
    return contest([planted], "one", "other", figure, added={"added"})


def test_a_clear_difference_is_settled_at_the_first_look() -> None:
    found = meet([10.0, 11.0, 10.5], [20.0, 21.2, 20.4], REGRET)
    assert (found.word, found.not_worse) == ("better", True)
    assert found.advantage == pytest.approx(10.03, abs=0.01)
    assert meet([20.0, 21.2, 20.4], [10.0, 11.0, 10.5], REGRET).word == "worse"


def test_the_first_look_has_half_of_five_per_cent() -> None:
    """With three blocks the two-sided p of t = 5 is 0.038: under 0.05, not under 0.025; that of t = 7 is 0.02."""
    for t, word in ((5.0, "open"), (7.0, "worse")):
        differences = np.array([-1.0, 0.0, 1.0]) + t / np.sqrt(3)
        assert meet(list(differences), [0.0] * 3, REGRET).word == word


def test_what_is_within_the_margin_is_equal_though_it_differs() -> None:
    found = meet([0.7001, 0.8002, 0.9001], [0.7, 0.8, 0.9], AUC)
    assert (found.word, found.not_worse) == ("equal", True)
    assert meet([0.7, 0.8], [0.7, 0.8], REGRET).word == "equal"


def test_one_may_be_shown_to_be_no_worse_and_nothing_else() -> None:
    found = meet([0.72, 0.74, 0.73], [0.71, 0.728, 0.724], AUC)
    assert (found.word, found.not_worse) == ("open", True)


def test_a_cost_is_compared_as_a_ratio() -> None:
    assert meet([1.0, 1.01, 0.99], [1.01, 1.0, 1.0], CPU).word == "equal"
    assert meet([1.0, 1.01, 0.99], [2.0, 2.1, 2.0], CPU).word == "better"


def test_one_block_settles_nothing() -> None:
    found = meet([1.0], [9.0], REGRET)
    assert (found.word, found.needed("settled")) == ("open", None)


def test_blocks_that_were_added_count_from_the_next_look_on() -> None:
    one, other = [0.0, 1.0, 0.5, 0.4, 0.6], [3.0, 1.5, 2.6, 2.5, 2.5]
    assert meet(one[:3], other[:3], REGRET, first=3).word == "open"
    # Five blocks are no look; at six the level is 0.0125.
    assert meet(one, other, REGRET, first=3).word == "open"
    assert meet([*one, 0.5], [*other, 2.5], REGRET, first=3).word == "better"


def test_at_most_five_per_cent_of_equal_strategies_are_ever_settled_as_different() -> None:
    """Five looks, from 3 to 48 blocks: 2.5 % at the first one, 4.8 % over all of them at most."""
    rng = np.random.default_rng(5)
    runs = 1000
    first, ever = 0, 0
    for _ in range(runs):
        differences = rng.normal(size=48)
        words = [meet(list(differences[:count]), [0.0] * count, REGRET, first=3).word for count in (3, 6, 12, 24, 48)]
        first += words[0] != "open"
        ever += words[-1] != "open"
        settled = [word for word in words if word != "open"]
        # What was settled stays settled.
        assert len(set(settled)) <= 1
        assert words[len(words) - len(settled) :] == settled
    assert first / runs == pytest.approx(0.025, abs=3 * (0.025 * 0.975 / runs) ** 0.5)
    assert 0.025 < ever / runs <= 0.05


def test_the_forecast_is_the_look_at_which_the_interval_is_short_enough() -> None:
    """A difference of one standard deviation: 3, 6 and 12 blocks do not show it at their levels, 24 blocks do."""
    differences = np.array([0.0, 1.0, 2.0])
    low, high = meet(list(differences), [0.0] * 3, REGRET).needed("settled") or (0, 0)
    assert low < 24 <= high
    exact = meet(list(np.resize([0.0, 1.0, 2.0], 300)), [0.0] * 300, REGRET, first=3)
    assert exact.word == "worse"


def test_a_forecast_is_of_what_is_to_be_shown() -> None:
    """Of equal quality within the margin: it is settled, and no number of blocks shows that one is better."""
    found = meet([0.7001, 0.8002, 0.9003], [0.7003, 0.8002, 0.9001], AUC)
    assert found.word == "equal"
    assert (found.needed("better"), found.needed("not worse")) == (None, (6, 6))


def test_no_number_of_blocks_tells_apart_what_does_not_differ() -> None:
    assert meet([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], REGRET).needed("settled") is None
