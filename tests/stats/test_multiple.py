"""Holm's adjustment: by hand, by the principle behind it, and the errors of families."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from harness.analysis.aggregates import CellAggregate, RunBlock, StrategyAggregate, aggregate
from harness.analysis.verdicts import Measures, compare
from harness.records import Record, Seeds, Trial, is_cost
from harness.stats.paired import holm

P = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_what_is_no_test_does_not_count() -> None:
    assert holm([math.nan, 0.01, math.nan, 0.02]) == pytest.approx([math.nan, 0.02, math.nan, 0.02], nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_it_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    """A null is rejected when Bonferroni rejects every intersection that it is in: the principle behind Holm."""
    subsets = [chosen for size in range(1, len(p) + 1) for chosen in itertools.combinations(range(len(p)), size)]
    for own, adjusted in enumerate(holm(p)):
        closed = [len(chosen) * min(p[index] for index in chosen) for chosen in subsets if own in chosen]
        assert adjusted == pytest.approx(min(1.0, max(closed)))


@given(P, st.randoms())
def test_order_is_kept_and_does_not_matter(p: list[float], random: object) -> None:
    adjusted = holm(p)
    assert all(raw <= own <= min(1.0, len(p) * raw) for raw, own in zip(p, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    places = list(range(len(p)))
    random.shuffle(places)  # type: ignore[attr-defined]
    assert holm([p[place] for place in places]) == [adjusted[place] for place in places]


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_ten_true_nulls_give_a_false_one_in_5_percent_of_families(shared: float) -> None:
    """Independent tests come close to the level, tests that share their noise stay under it; standard error 0.3 %."""
    rng = np.random.default_rng(11)
    size = (5000, 10, 6)
    noise = math.sqrt(shared) * rng.normal(size=(5000, 1, 6)) + math.sqrt(1 - shared) * rng.normal(size=size)
    t = noise.mean(axis=2) / noise.std(axis=2, ddof=1) * math.sqrt(6)
    wrong = np.mean([min(holm(row)) < 0.05 for row in 2 * stdtr(5, -np.abs(t))])
    assert wrong <= 0.05 + 0.007
    assert wrong >= (0.042 if shared == 0 else 0.005)


def test_eleven_equal_strategies_are_told_apart_in_5_percent_of_tables() -> None:
    """In any of six columns. All are compared with the same reference, so the tests depend on each other.

    Standard error 0.7 %. Without an adjustment over the table nine in ten had a false difference.
    """
    rng = np.random.default_rng(13)
    labels = [f"s{index}" for index in range(11)]
    trial = Trial("t", "task", "s0", "data", "clean", {}, {}, 0, Seeds(0, 1, 2))
    cell = aggregate([("run", "machine", [Record(trial, "ok")])])[0].cell
    units = [RunBlock("run", block, block) for block in range(5)]
    measures: Measures = dict.fromkeys(("cpu_s", "wall_s", "fit.cpu_s", "auc", "log_loss", "brier"), "lower")
    wrong = alone = 0
    for _ in range(1000):
        values = rng.normal(size=5) + 0.1 * rng.normal(size=(11, 6, 5))
        values[:, :3] = np.exp(values[:, :3])
        entries = {
            label: StrategyAggregate(label, {}, dict(zip(measures, rows, strict=True)))
            for label, rows in zip(labels, values, strict=True)
        }
        found = compare([CellAggregate("machine", cell, units, entries)], labels, "s0", measures)
        each = [(name, one) for name, column in found.items() for one in column.values()]
        wrong += any(one.word in ("better", "worse") for _, one in each)
        alone += any(
            one.effect is not None and one.effect.excludes(1.0 if is_cost(name) else 0.0) for name, one in each
        )
    assert 0.005 < wrong / 1000 <= 0.05 + 0.014
    assert alone / 1000 > 0.8
