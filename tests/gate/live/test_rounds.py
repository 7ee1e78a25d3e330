"""How many calls, passes and rounds a pair takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gate.live import suite as planted
from gate.live.test_both_sides import run

from harness.config import GatePolicy
from harness.gate.decision import SIDES, Pair
from harness.gate.live.both_sides import PairRequest, _Each, _rounds, spread_between
from harness.gate.live.measured_case import MeasuredCase, cases

if TYPE_CHECKING:
    from gate.live.conftest import Sides


class Machine:
    """A clock that answers of both sides move: the body of each phase takes some seconds, `with` or `for`."""

    def __init__(self, bodies: dict[str, float], repeatable: tuple[str, ...] = (), noise: float = 0.0) -> None:
        self.bodies, self.repeatable, self.noise = bodies, repeatable, noise
        self.now, self.rng, self.asked = 0.0, np.random.default_rng(0), list[dict[str, Any]]()

    def monotonic(self) -> float:
        return self.now

    def each(self, order: Any, message: Any) -> dict[str, Any]:
        answers = {}
        for side in order:
            asked = message(side)
            self.asked.append(asked)
            passes = {phase: asked.get("passes", {}).get(phase, 1) for phase in self.repeatable}
            times = {
                phase: asked["calls"] * passes.get(phase, 1) * body * float(np.exp(self.noise * self.rng.normal()))
                for phase, body in self.bodies.items()
            }
            self.now += sum(times.values()) + 1e-4
            answer: dict[str, Any] = {"times": {phase: [time, time] for phase, time in times.items()}}
            answers[side] = answer | ({"passes": passes, "loop_s": 4e-8} if passes else {})
        return answers


def measured(machine: Machine, monkeypatch: pytest.MonkeyPatch, *, start_s: float = 1.0, between: float = 0.01) -> Pair:
    monkeypatch.setattr("time.monotonic", machine.monotonic)
    pair = Pair(0)
    trial = planted.case("a", GatePolicy()).planned.trials[0]
    request = PairRequest(trial, [0], "base", "screen", 4, 0.015, between, 60.0, judge=False)
    each: Any = type("Each", (_Each,), {"__call__": lambda _, order, message: machine.each(order, message)})
    _rounds(each({}, pair, 60.0), request, SIDES, start_s)
    return pair


@pytest.mark.parametrize(("body_s", "calls"), [(0.17, 1), (0.011, 1), (0.005, 4), (0.0005, 40), (1e-5, 182)])
def test_a_round_of_short_calls_lasts_as_long_as_a_clock_needs(
    body_s: float, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine({"fit": body_s})
    pair = measured(machine, monkeypatch)
    assert machine.asked[-1]["calls"] == pytest.approx(calls, rel=0.1)
    assert pair.base["fit.cpu_s"] == pytest.approx([body_s] * 4)


def test_a_body_that_can_be_repeated_is_repeated_within_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({"fit": 0.05, "predict": 3e-7}, repeatable=("predict",))
    pair = measured(machine, monkeypatch)
    assert machine.asked[-1]["calls"] == 1
    assert machine.asked[-1]["passes"]["predict"] * 3e-7 == pytest.approx(0.02, rel=0.01)
    assert pair.base["predict.cpu_s"] == pytest.approx([3e-7] * 4)
    assert pair.base["cpu_s"] == pytest.approx([0.05 + 3e-7] * 4)
    assert pair.loop_s == {"base": 4e-8, "candidate": 4e-8}


def test_noisy_rounds_are_repeated_until_a_new_pair_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounds(noise: float, start_s: float, between: float) -> int:
        pair = measured(Machine({"fit": 0.17}, noise=noise), monkeypatch, start_s=start_s, between=between)
        return len(pair.base["cpu_s"])

    assert rounds(0.01, 1.0, 0.01) == 4
    assert rounds(0.1, 4.0, 0.01) > 3 * rounds(0.1, 4.0, 0.05)
    assert rounds(0.1, 4.0, 0.03) > rounds(0.1, 0.4, 0.03)


def test_what_pairs_differ_by_beyond_their_rounds() -> None:
    rng = np.random.default_rng(1)

    def pairs(between: float, within: float) -> list[Pair]:
        return [
            Pair(0, base={"cpu_s": [1.0] * 16}, candidate={"cpu_s": list(np.exp(shift + within * rng.normal(size=16)))})
            for shift in between * rng.normal(size=40)
        ]

    assert spread_between(pairs(0.05, 0.02)) == pytest.approx(0.05, rel=0.3)
    assert spread_between(pairs(0.03, 0.1)) == pytest.approx(0.03, rel=0.5)
    assert spread_between(pairs(0.0, 0.01)) == pytest.approx(0.01 / 3)
    assert spread_between(pairs(0.5, 0.1)[:2]) == 0.01


@pytest.mark.measured
def test_a_body_of_a_microsecond_is_timed_without_the_cost_of_its_loop(sides: Sides) -> None:
    """Adding up 20 numbers instead of 10 takes longer, and less than three times as long."""
    pair = run(sides, "tiny", MORE=1)
    assert pair.passes["predict"] > 1000
    assert all(1e-9 < pair.loop_s[side] < 1e-6 for side in SIDES)
    ratio = float(np.median(np.divide(pair.candidate["predict.cpu_s"], pair.base["predict.cpu_s"])))
    assert 1.1 < ratio < 3
    assert float(np.median(pair.base["predict.cpu_s"])) < 5e-6


def test_a_with_statement_around_next_to_nothing_is_not_measured_and_says_what_is(sides: Sides) -> None:
    pair = run(sides, "tiny-once")
    case: MeasuredCase = planted.case("tiny-once", GatePolicy())
    for _ in range(3):
        case.add(pair)
    (measured_case,) = cases([case], "")
    (time, *_) = [finding for finding in measured_case.findings if finding.kind == "time"]
    assert (time.figure, time.verdict) == ("cpu_s", "not measured")
    assert "write 'for _ in phase('fit'):'" in time.reason
