"""Which case gets the next pair, and what comes of it: planted changes, budgets, failures, confirmation."""

from __future__ import annotations

import itertools
import time
from datetime import date, timedelta
from itertools import chain, repeat

import msgspec
import numpy as np
import pytest
from gate.live import suite as planted

from harness import UsageError
from harness.config import Allowed, GatePolicy
from harness.gate.decision import SIDES, Case, Pair, worst
from harness.gate.live import gate as live
from harness.gate.live import schedule as module
from harness.gate.live.both_sides import PairRequest, Reading
from harness.gate.live.gate import company
from harness.gate.live.measured_case import MeasuredCase, cases, divergences
from harness.gate.policy import apply_to_case

POLICY = GatePolicy()
TODAY = date(2026, 11, 25)


class Run:
    """A suite that was conducted on drawn pairs."""

    def __init__(
        self, patch: pytest.MonkeyPatch, draw: planted.Draw, names: list[str], policy: GatePolicy = POLICY
    ) -> None:
        self.suite = [planted.case(name, policy) for name in names]
        self.order: list[tuple[str, str]] = []
        self.requests: list[PairRequest] = []

        def measure(request: PairRequest, _sides: object) -> Pair:
            self.requests.append(request)
            pair = draw(request)
            self.now += pair.elapsed_s
            return pair

        self.now = 0.0
        patch.setattr(module, "measure", measure)
        patch.setattr(time, "monotonic", lambda: self.now)
        self.policy = policy

    def __call__(self, memory: planted.Memory | None = None) -> list[Case]:
        self.stopped = module.measure_all(self.suite, planted.bench(self.policy, memory), self._listen)
        return [apply_to_case(case, self.policy, TODAY) for case in cases(self.suite, self.stopped)]

    def _listen(self, place: int, found: Pair | Reading) -> None:
        kind = found.stage if isinstance(found, Pair) else "memory"
        self.order.append((self.suite[place].planned.case.strategy, kind))


def verdicts(case: Case) -> dict[str, str]:
    return {finding.figure: finding.verdict for finding in case.findings}


def test_no_change_passes_after_few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch, planted.drawn({}), ["a", "b"])
    for case in run():
        assert set(verdicts(case).values()) == {"pass"}
        # The only phase is the total, and no figure of its own.
        assert {finding.figure for finding in case.findings} == {"cpu_s", "wall_s", "auc", "peak_bytes"}
        assert len(case.pairs) <= 8
    assert run.stopped == ""


def test_a_slowdown_is_confirmed_by_fresh_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, same = Run(monkeypatch, planted.drawn({"slow": 0.1}), ["slow", "same"])()
    assert (slow.verdict, same.verdict) == ("regressed", "pass")
    assert verdicts(slow)["cpu_s"] == "regressed"
    finding = next(finding for finding in slow.findings if finding.figure == "cpu_s")
    assert finding.effect is not None
    assert finding.effect.low < 1.1 < finding.effect.high
    blocks = {stage: {pair.block for pair in slow.pairs if pair.stage == stage} for stage in ("screen", "confirm")}
    assert blocks["confirm"]
    assert not blocks["screen"] & blocks["confirm"]


def test_what_fresh_pairs_do_not_show_is_no_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    worse, same = planted.drawn({"a": 0.2}), planted.drawn({})
    (case,) = Run(monkeypatch, lambda request: (worse if request.stage == "screen" else same)(request), ["a"])()
    assert case.verdict == "pass"
    assert "fresh ones exclude the margin" in next(f.reason for f in case.findings if f.figure == "cpu_s")


def noisy_wall(cpu: float, *, refuted: bool = False, confirming: float = 0.01) -> planted.Draw:
    """Return what draws pairs whose CPU time is slower by a share, and whose wall time says nothing.

    Fresh pairs may refute it, or scatter by more.
    """
    rng = np.random.default_rng(5)

    def draw(request: PairRequest) -> Pair:
        share = 0.0 if refuted and request.stage == "confirm" else cpu
        scatter = confirming if request.stage == "confirm" else 0.01
        ratios = {"cpu_s": (1 + share) * np.exp(rng.normal(0, scatter)), "wall_s": np.exp(rng.normal(0, 0.5))}
        sides = (
            {name: [0.1 * ratio] * 4 for name, ratio in each.items()} for each in (dict.fromkeys(ratios, 1), ratios)
        )
        base, candidate = sides
        return Pair(request.trial.block, request.stage, request.first, request.cores, base, candidate, identical=True)

    return draw


def test_once_a_time_is_regressed_the_others_are_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = Run(monkeypatch, noisy_wall(0.1), ["a"])()
    assert (case.verdict, len(case.pairs)) == ("regressed", 6)
    wall = next(finding for finding in case.findings if finding.figure == "wall_s")
    assert (wall.verdict, wall.reason) == ("inconclusive", "left open, because cpu_s is regressed")


def test_what_is_refuted_doubtful_or_allowed_leaves_no_time_open(monkeypatch: pytest.MonkeyPatch) -> None:
    (refuted,) = Run(monkeypatch, noisy_wall(0.1, refuted=True), ["a"])()
    assert verdicts(refuted)["cpu_s"] == "pass"
    entry = Allowed(case="topic/*", figure="cpu_s", reason="known", until=TODAY + timedelta(days=36500))
    policy = msgspec.structs.replace(POLICY, allowed=(entry,))
    (allowed,) = Run(monkeypatch, noisy_wall(0.1), ["a"], policy)()
    assert verdicts(allowed)["cpu_s"] == "regressed"
    (doubtful,) = Run(monkeypatch, noisy_wall(0.1, confirming=0.5), ["a"])()
    cpu = next(finding for finding in doubtful.findings if finding.figure == "cpu_s")
    assert "fresh ones leave it open" in cpu.reason
    for case in (refuted, allowed, doubtful):
        assert sum(pair.stage == "screen" for pair in case.pairs) == POLICY.pairs
        assert "needs about" in next(finding.reason for finding in case.findings if finding.figure == "wall_s")


def test_a_gain_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = Run(monkeypatch, planted.drawn({"a": -0.2}), ["a"])()
    assert (case.verdict, verdicts(case)["cpu_s"]) == ("improved", "improved")


def test_faster_but_worse_is_a_regression_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = Run(monkeypatch, planted.drawn({"a": -0.3}, drop=0.02), ["a"])()
    assert case.verdict == "regressed"
    assert case.reason == "0.70x of the CPU time, but auc fell by 0.0199"


def test_noise_that_hides_the_margin_is_inconclusive_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = Run(monkeypatch, planted.drawn({}, spread=0.3, seed=3), ["a"])()
    finding = next(finding for finding in case.findings if finding.figure == "cpu_s")
    assert finding.verdict == "inconclusive"
    assert finding.needs is not None
    assert finding.needs > POLICY.pairs
    assert f"needs about {finding.needs} pairs, had {POLICY.pairs}" in finding.reason


def test_growth_of_memory_is_read_again_before_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch, planted.drawn({}), ["a"])
    (case,) = run(planted.Memory(1.01))
    assert verdicts(case)["peak_bytes"] == "regressed"
    assert run.order.count(("a", "memory")) == 3
    run = Run(monkeypatch, planted.drawn({}), ["a"])
    assert verdicts(run(planted.Memory(1.009))[0])["peak_bytes"] == "pass"
    assert run.order.count(("a", "memory")) == 1


@pytest.mark.parametrize(("growth", "verdict"), [(0.75, "inconclusive"), (1.0, "pass"), (1.3, "inconclusive")])
def test_no_change_of_sampled_memory_is_certain(monkeypatch: pytest.MonkeyPatch, growth: float, verdict: str) -> None:
    run = Run(monkeypatch, planted.drawn({}), ["a"])
    (case,) = run(planted.Memory(growth, sampled=True))
    assert verdicts(case)["peak_bytes"] == verdict
    (reason,) = (finding.reason for finding in case.findings if finding.figure == "peak_bytes")
    assert ("memory was sampled" in reason) == (verdict == "inconclusive")


def test_pairs_take_cores_and_sides_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch, planted.drawn({}, spread=0.3), ["a"])
    run()
    screen = [(request.cores, request.first) for request in run.requests if request.stage == "screen"]
    assert screen[:4] == [([0], "base"), ([1], "base"), ([0], "candidate"), ([1], "candidate")]
    assert [request.judge for request in run.requests[:3]] == [True, False, False]


def test_what_runs_on_neither_side_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "this LightGBM is built without CUDA"
    whole = planted.drawn({})

    def draw(request: PairRequest) -> Pair:
        if request.trial.strategy == "both":
            return Pair(request.trial.block, failed=dict.fromkeys(SIDES, reason), unable=[*SIDES])
        if request.trial.strategy == "one":
            return Pair(request.trial.block, failed={"candidate": reason}, unable=["candidate"])
        return whole(request)

    both, one = Run(monkeypatch, draw, ["both", "one"])()
    assert (both.verdict, both.reason) == ("pass", f"skipped on both sides ({reason})")
    assert (one.verdict, one.reason) == ("failed", f"the candidate failed in 2 of 2 pairs: {reason}")


def test_a_crash_in_half_of_the_pairs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = planted.drawn({})

    def draw(request: PairRequest) -> Pair:
        if request.trial.strategy == "a" and request.trial.block % 2:
            return Pair(request.trial.block, failed={"candidate": "killed by SIGSEGV"})
        return whole(request)

    run = Run(monkeypatch, draw, ["a", "b"])
    failed, passed = run()
    assert (failed.verdict, passed.verdict) == ("failed", "pass")
    assert failed.reason == "the candidate failed in 1 of 2 pairs: killed by SIGSEGV"
    assert worst(case.verdict for case in (failed, passed)) == "failed"


def test_a_gate_says_that_others_measured_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch, planted.drawn({}), ["a"])
    # The share is asked for before and after each pair, and before a reading: another run comes during the second pair.
    others = chain((0, 0, 0, 1), repeat(0))
    module.measure_all(run.suite, planted.bench(POLICY, None, others), lambda _place, _found: None)
    count = len(run.suite[0].screen)
    assert [pair.others for pair in run.suite[0].screen[:3]] == [0, 1, 0]
    assert list(company(run.suite)) == [
        f"other runs or gates measured on this machine during 1 of {count} pairs, which adds noise"
    ]


def test_a_budget_is_spent_on_what_is_closest_to_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    near_draw, far_draw = (planted.drawn({}, spread=spread, elapsed_s=1.0) for spread in (0.01, 0.3))
    draws = {"near": near_draw, "far": far_draw}
    policy = msgspec.structs.replace(POLICY, budget_s=14.0)
    run = Run(monkeypatch, lambda request: draws[request.trial.strategy](request), ["far", "near"], policy)
    far, near = run()
    assert run.stopped == "the budget of 14 s is spent"
    assert near.verdict == "pass"
    assert far.verdict == "inconclusive"
    assert all("the budget of 14 s is spent" in f.reason for f in far.findings if f.verdict == "inconclusive")
    first_far = [place for place, (name, _) in enumerate(run.order) if name == "far"][4:]
    last_near = max(place for place, (name, _) in enumerate(run.order) if name == "near")
    assert all(place > last_near for place in first_far)


def test_a_case_that_the_budget_never_reached_is_not_silently_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = msgspec.structs.replace(POLICY, budget_s=2.5)
    first, second = Run(monkeypatch, planted.drawn({}, elapsed_s=1.0), ["a", "b"], policy)()
    assert first.pairs
    assert (second.verdict, second.reason) == ("inconclusive", "the budget of 2.5 s is spent")


def test_when_the_budget_ends_between_looks_the_pairs_there_are_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = msgspec.structs.replace(POLICY, budget_s=7.5)
    run = Run(monkeypatch, planted.drawn({"a": -0.3}, spread=0.2, elapsed_s=1.0), ["a"], policy)
    (better,) = run()
    assert run.stopped
    assert [(f.verdict, f.pairs) for f in better.findings if f.figure == "cpu_s"] == [("improved", 7)]


def test_what_the_last_pairs_of_a_budget_call_worse_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = msgspec.structs.replace(POLICY, budget_s=3.5)
    (worse,) = Run(monkeypatch, planted.drawn({"a": 0.3}, spread=0.01, elapsed_s=1.0), ["a"], policy)()
    (cpu,) = (f for f in worse.findings if f.figure == "cpu_s")
    assert cpu.verdict == "inconclusive"
    assert cpu.reason.startswith("3 pairs call it worse, and no fresh pairs confirmed it")


def test_a_budget_too_small_for_one_pair_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = msgspec.structs.replace(POLICY, budget_s=0.5)
    run = Run(monkeypatch, planted.drawn({}, elapsed_s=1.0), ["a"], policy)
    with pytest.raises(UsageError, match=r"a budget of 0\.5 s is less than the 1\.0 s that a pair of .*/a/.* takes"):
        run()


def test_so_it_is_where_its_time_has_passed_before_the_first_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = msgspec.structs.replace(POLICY, budget_s=0.5)
    run = Run(monkeypatch, planted.drawn({}, elapsed_s=1.0), ["a"], policy)
    monkeypatch.setattr(time, "monotonic", itertools.count().__next__)
    with pytest.raises(UsageError, match=r"a budget of 0\.5 s is less than the 1\.0 s that a pair of .*/a/.* takes"):
        run()


def test_what_was_measured_before_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Run(monkeypatch, planted.drawn({"a": 0.1}), ["a", "b"])
    expected = whole()
    cut = Run(monkeypatch, planted.drawn({}), ["a", "b"])
    for old, new in zip(whole.suite, cut.suite, strict=True):
        new.screen, new.confirm, new.memory = [*old.screen], [*old.confirm], [*old.memory]
    assert cut() == expected
    assert cut.requests == []


@pytest.mark.parametrize("change", [0.05, 0.1])
def test_many_gates_find_a_slowdown_among_cases_that_did_not_change(
    monkeypatch: pytest.MonkeyPatch, change: float
) -> None:
    found = []
    for seed in range(20):
        names = ["slow", "b", "c", "d"]
        run = Run(monkeypatch, planted.drawn({"slow": change}, spread=0.015, seed=seed), names)
        found.append([case.verdict for case in run()])
    assert sum(verdicts[0] == "regressed" for verdicts in found) >= 19
    assert all(set(verdicts[1:]) == {"pass"} for verdicts in found)


def test_an_empty_progress_wants_its_first_look() -> None:
    progress: MeasuredCase = planted.case("a", POLICY)
    assert progress.wants("screen", 0.01) == 3
    assert progress.wants("confirm", 0.01) == 0


def test_once_a_side_diverges_only_metrics_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = planted.drawn({"a": 5.0}, drop=0.1)

    def draw_diverged(request: PairRequest) -> Pair:
        steps = {"candidate": 12.0} if request.trial.block == 1 else {}
        return msgspec.structs.replace(draw(request), diverged=steps)

    run = Run(monkeypatch, draw_diverged, ["a"])
    (case,) = run(planted.Memory(3.0))
    assert verdicts(case) == {"auc": "regressed"}
    count = len(case.pairs)
    assert divergences(run.suite) == [
        f"topic/task/a/data/clean: the candidate diverged at step 12 in 1 of {count} pairs, so its times and memory "
        "are not compared"
    ]


@pytest.mark.parametrize("cores", [[0, 1], list(range(16)), []])
def test_more_threads_than_cores_are_remarked(monkeypatch: pytest.MonkeyPatch, cores: list[int]) -> None:
    monkeypatch.setattr(live, "usable_cores", lambda: cores)
    suite = [planted.case("a", POLICY), planted.case("b", POLICY, threads=16)]
    said = [remark for remark in live._remarks("", suite) if "threads" in remark]
    assert said == (
        [
            "there are 2 cores here for trials with threads=16, which then wait for each other: "
            "give --threads at most the number of cores"
        ]
        if len(cores) == 2
        else []
    )
