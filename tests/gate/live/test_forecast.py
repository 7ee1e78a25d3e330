"""What a gate expects before it measures: order, minutes, and what the budget does not reach."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from gate.live import suite as planted

from harness.config import GatePolicy
from harness.gate.decision import Pair, Side
from harness.gate.live import journal
from harness.gate.live import schedule as module
from harness.gate.live.both_sides import PairRequest
from harness.gate.live.forecast import first_looks, forecast, prepared, sentences
from harness.gate.live.journal import RecordedRequest
from harness.gate.live.measured_case import MeasuredCase
from harness.gate.live.unchanged import Trees
from harness.plan.selection import Selection

POLICY = GatePolicy()


def case(name: str, *, pair_s: float = 0.0, touched: bool = False) -> MeasuredCase:
    made = planted.case(name, POLICY)
    return MeasuredCase(msgspec.structs.replace(made.planned, pair_s=pair_s, touched=touched), POLICY)


SUITE = [
    case("dear", pair_s=60),
    case("cheap", pair_s=1),
    case("unknown"),
    case("touched-dear", pair_s=60, touched=True),
    case("touched-cheap", pair_s=2, touched=True),
]
ORDER = ["touched-cheap", "touched-dear", "cheap", "unknown", "dear"]


def test_what_has_changed_comes_first_and_then_what_is_cheap() -> None:
    looked = [(place, each.planned.case.strategy) for place, each in first_looks(SUITE, POLICY)]
    assert [name for _, name in looked] == ORDER
    assert all(SUITE[place].planned.case.strategy == name for place, name in looked)


def test_every_case_gets_its_first_pairs_in_that_order_before_any_gets_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = planted.drawn({}, spread=0.3)
    order: list[str] = []

    def measure(request: PairRequest, _sides: object) -> Pair:
        order.append(request.trial.strategy)
        return draw(request)

    monkeypatch.setattr(module, "measure", measure)
    suite = [MeasuredCase(each.planned, POLICY) for each in SUITE]
    module.measure_all(suite, planted.bench(POLICY), lambda *_: None)
    assert order[: 3 * len(SUITE)] == [name for name in ORDER for _ in range(3)]


def test_the_budget_and_what_it_does_not_reach_are_said() -> None:
    planned = [each.planned for each in SUITE]
    # First looks take 8, 240, 4, 10 and 240 s, in this order: three pairs and a reading of memory.
    whole = forecast(planned, POLICY)
    assert (whole.cases, whole.known, whole.low_s, whole.beyond) == (5, 4, 502, [])
    assert whole.high_s == 25 * (60 + 1 + 60 + 2) + 180
    assert list(sentences(whole)) == [
        "measuring 5 cases will take about 8.4 to 54 min (earlier gates on this machine say it for 4 of them)"
    ]
    short = forecast(planned, msgspec.structs.replace(POLICY, budget_s=255.0))
    assert short.beyond == [f"topic/task/{name}/data/clean" for name in ("unknown", "dear")]
    assert "the budget of 255 s will probably not reach 2 of them" in list(sentences(short))[1]
    enough = forecast(planned, msgspec.structs.replace(POLICY, budget_s=600.0))
    assert list(sentences(enough))[1].startswith("the budget of 600 s reaches all cases")
    assert list(sentences(forecast([], POLICY))) == []


def test_what_earlier_gates_took_and_which_files_changed_are_known(tmp_path: Path) -> None:
    request = RecordedRequest("main", (), (Side("main"), Side("here")), "", Selection(), POLICY)
    old, new = planted.case("old", POLICY).planned, planted.case("new", POLICY).planned
    with journal.create(tmp_path, "box", "bakeoff gate", request, (new, old), (), ()) as file:
        for elapsed_s in (4.0, 5.0, 9.0):
            file.write(1, Pair(0, elapsed_s=elapsed_s))
        file.write(1, Pair(0, elapsed_s=100.0, failed={"base": "it raised"}))
    (tmp_path / "box" / "gates" / "gate-00000000T000000Z-abcdef.jsonl").write_text("damaged\n")
    trees = Trees((tmp_path / "base", tmp_path), frozenset({"strategies.py"}))
    touched = msgspec.structs.replace(new, declared=str(tmp_path / "strategies.py"))
    seen = prepared([old, touched], trees, tmp_path, "box")
    assert [(each.pair_s, each.touched) for each in seen] == [(5.0, False), (0.0, True)]
    assert [each.pair_s for each in prepared([old], trees, tmp_path, "another")] == [0.0]
