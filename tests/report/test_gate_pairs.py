"""What the page plots: log-ratios, medians, and the running mean, which ends at the mean of all pairs."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from gate import samples
from scipy import stats

from harness.gate.decision import Pair
from harness.report.gate import page


def test_the_running_mean_is_students() -> None:
    values = np.random.default_rng(0).normal(0.05, 0.01, 9)
    found = page.running(values.tolist())
    assert found[0] == (values[0], -np.inf, np.inf)
    for count in range(2, 10):
        own = values[:count]
        low, high = stats.t.interval(0.95, count - 1, own.mean(), stats.sem(own))
        assert found[count - 1] == pytest.approx((own.mean(), low, high))


def test_a_pair_without_a_value_leaves_the_mean_as_it_was() -> None:
    found = page.running([0.1, np.nan, 0.3])
    assert found[1] == (0.1, -np.inf, np.inf)
    assert found[2] == page.running([0.1, 0.3])[1]


def test_known_ratios_are_plotted_in_the_order_of_stages() -> None:
    base = {"cpu_s": [1.0, 2.0, 4.0]}
    made = [
        Pair(7, "confirm", base=base, candidate={"cpu_s": [1.1, 2.2, 4.4]}),
        Pair(3, base=base, candidate={"cpu_s": [1.0, 2.0, 8.0]}),
    ]
    case = samples.case("hist", samples.cost("cpu_s", 1.1), pairs=made)
    found = page.plotted(samples.decision(case))
    (own,) = found["cases"]
    (figure,) = own["figures"]
    assert (own["screened"], [pair["block"] for pair in own["pairs"]]) == (1, [3, 7])
    assert figure["rounds"] == [[0, 0, round(np.log(2) / found["part"])], [953, 953, 953]]
    assert figure["medians"] == [0, 953]
    assert figure["running"] == [[0, None, None], [953, None, None]]
    assert figure["margin"] == round(np.log(1.05) / found["part"])


def test_a_failed_pair_has_no_value_but_its_reason() -> None:
    (own,) = page.plotted(samples.decision(samples.failed()))["cases"]
    assert own["pairs"][0]["failed"] == "candidate: ValueError: no such tree"
    assert own["figures"] == []
    broken = msgspec.structs.replace(samples.pairs()[0], candidate={"cpu_s": []})
    assert np.isnan(page.medians([broken], "cpu_s")).all()


def test_sides_with_unequal_rounds_are_compared_by_their_medians() -> None:
    pair = Pair(0, base={"cpu_s": [1.0, 2.0, 3.0]}, candidate={"cpu_s": [4.0]})
    assert page.medians([pair], "cpu_s") == [pytest.approx(np.log(2))]


def test_totals_come_first_and_unjudged_phases_are_left_out() -> None:
    assert page.time_figures(samples.passing()) == ["cpu_s", "wall_s", "fit.cpu_s"]
    without = samples.passing(findings=[])
    assert page.time_figures(without)[:3] == ["cpu_s", "wall_s", "fit.cpu_s"]
    assert len(page.time_figures(without)) == 6


def test_too_many_dots_are_thinned_by_an_odd_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_DOTS", 80)
    found = page.plotted(samples.decision(samples.passing()))
    (own,) = found["cases"]
    assert found["step"] == 3
    assert {len(rounds) for figure in own["figures"] for rounds in figure["rounds"]} == {4}
    monkeypatch.undo()
    whole = page.plotted(samples.decision(samples.passing()))
    assert whole["step"] == 1
    assert whole["cases"][0]["figures"][0]["medians"] == own["figures"][0]["medians"]
