"""Verdicts on claims whose truth is planted: records are made up, and every word an author may use is judged."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.analysis.aggregates import aggregate
from harness.claims import Judged, judge
from harness.claims.answers import fullest
from harness.claims.contrasts import tau
from harness.cli.run_command import command as run_command
from harness.config import Config
from harness.declare import CLEAN, Dataset, Judgement, Metric, Param, Problem, Scenario, Stress, Topic
from harness.declare.evidence import Evidence, Verdict
from harness.records import Phase, Record, Scalar, Seeds, Trial
from harness.registry import Registry, load_registry
from harness.stats.rates import exact

Check = Callable[[Evidence], Verdict]
Run = tuple[str, str, Iterable[Record]]
NOISY = Scenario("noisy", lambda data, _rng: data)


def make_topic(*checks: Check) -> Topic:
    topic = Topic("t", title="Planted")
    task = topic.task(
        "task",
        title="Do it",
        datasets=[Dataset("data", lambda _params, _rng: None)],
        scenarios=[CLEAN, NOISY],
        phases=["fit"],
        metrics=[Metric("auc", direction="higher", unit="1")],
        judge=lambda _data, _output: Judgement({}),
        params={"rows": Param(1000)},
        sweep={"rows": [100, 1000, 10_000]},
    )
    for name in ("a", "b", "c", "d"):

        @task.strategy(name)
        def strategy(problem: Problem, phase: Any, bins: int = 256) -> None:
            raise NotImplementedError

    for index, check in enumerate(checks):
        topic.claim(f"claim {index}", source="Nobody 2026", published="4x")(check)
    return topic


def record(strategy: str, block: int, cost: float = 1.0, auc: float = 0.5, **changes: Any) -> Record:
    options: dict[str, Scalar] = changes.pop("options", {})
    params: dict[str, Scalar] = {"rows": 1000, "threads": 1} | changes.pop("params", {})
    trial = Trial(
        topic="t",
        task=changes.pop("task", "task"),
        strategy=strategy,
        dataset=changes.pop("dataset", "data"),
        scenario=changes.pop("scenario", "clean"),
        params=params,
        options=options,
        block=block,
        seeds=Seeds(data=block, model=1, order=2),
    )
    fields = {"status": "ok", "phases": {"fit": Phase([cost], [cost], 1000)}, "metrics": {"auc": auc}}
    return Record(trial, **(fields | changes))


def one_run(records: Iterable[Record]) -> list[Run]:
    return [("run", "machine", list(records))]


def judged(check: Check, runs: Sequence[Run], noise: dict[str, float] | None = None) -> Judged:
    (claim,) = judge(make_topic(check), aggregate(runs), noise)
    return claim


def pair(ratio: float, *, spread: float = 0.02, blocks: int = 6, **changes: Any) -> list[Record]:
    """Costs of `a` a fixed number of times those of `b`, and as much better; blocks differ a lot."""
    rng = np.random.default_rng(0)
    found = []
    for block in range(blocks):
        level = math.exp(rng.normal())
        jitter = rng.normal(0, spread, 2) if spread else np.zeros(2)
        found += [
            record("a", block, level * ratio * math.exp(jitter[0]), 0.5 + ratio / 100 + jitter[1] / 10, **changes),
            record("b", block, level, 0.5, **changes),
        ]
    return found


@pytest.mark.parametrize(
    ("check", "verdict", "expected"),
    [
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), "supported", "at least 3"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(4), "inconclusive", "at least 4"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(5), "refuted", "at least 5"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_most(5), "supported", "at most 5"),
        (lambda e: e.ratio("fit.cpu_s", "b", "a").at_most(1 / 3), "supported", "at most 0.3333"),
        (lambda e: e.ratio("fit.cpu_s", "b", "a").at_least(1 / 3), "refuted", "at least 0.3333"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").within(0.1), "refuted", "between 0.9091 and 1.1"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").within(0.1, of=4), "supported", "between 3.636 and 4.4"),
        (lambda e: e.tied("fit.cpu_s", "a", "b", 4), "supported", "between 0.2 and 5"),
        (lambda e: e.tied("fit.cpu_s", "a", "b", 2), "refuted", "between 0.3333 and 3"),
        (lambda e: e.ratio("auc", "a", "b").at_least(1.05), "supported", "at least 1.05"),
        (lambda e: e.difference("auc", "a", "b").at_least(0.03), "supported", "at least 0.03"),
        (lambda e: e.difference("auc", "b", "a").at_least(0.03), "refuted", "at least 0.03"),
        (lambda e: e.difference("auc", "a", "b").within(0.05), "supported", "between \u22120.05 and 0.05"),
        (lambda e: e.tied("auc", "a", "b", 0.04), "inconclusive", "between \u22120.04 and 0.04"),
        (lambda e: e.tied("auc", "a", "b", 0.01), "refuted", "between \u22120.01 and 0.01"),
    ],
)
def test_comparisons(check: Check, verdict: str, expected: str) -> None:
    found = judged(check, one_run(pair(4)))
    assert (found.verdict, found.expected, found.blocks) == (verdict, expected, 6)
    assert ("more blocks may decide" in found.reason) == (verdict == "inconclusive")
    assert found.low is not None
    assert found.estimate is not None
    assert found.high is not None
    assert found.low < found.estimate < found.high


def test_what_is_told_of_a_claim() -> None:
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), one_run(pair(4, spread=1e-9)))
    assert (found.topic, found.text, found.source, found.published) == ("t", "claim 0", "Nobody 2026", "4x")
    assert (found.asked, found.cost, found.reason) == ("ratio of fit.cpu_s, a to b", True, "")
    assert (found.low, found.estimate, found.high) == pytest.approx((4, 4, 4))
    assert found.p == pytest.approx(0)
    assert found.scope == "data, clean (rows=1000 threads=1), on machine (cpu)"
    assert (found.machine, found.runs) == ("machine", ("run",))
    assert found.commands == ("bakeoff run t/task -s a -s b -d data --scenario clean --blocks 6",)


@pytest.mark.parametrize("runs", [[], one_run(pair(4))])
@pytest.mark.parametrize(
    ("check", "bounds"),
    [
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), (3, None)),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_most(5), (None, 5)),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").within(0.1, of=4), (4 / 1.1, 4.4)),
        (lambda e: e.difference("auc", "a", "b").at_least(0), (0, None)),
        (lambda e: e.difference("auc", "a", "b").within(0.05), (-0.05, 0.05)),
    ],
)
def test_the_bounds_of_a_claim_are_numbers(check: Check, bounds: tuple[float, float], runs: list[Run]) -> None:
    found = judged(check, runs)
    assert (found.at_least, found.at_most) == pytest.approx(bounds)


def three(evidence: Evidence) -> Verdict:
    return evidence.ratio("fit.cpu_s", "a", "b").at_least(3)


def declaration(check: Check = three, *, text: str = "a is slow", **settings: Any) -> str:
    topic = make_topic()
    topic.claim(text, **({"source": "Nobody 2026"} | settings))(check)
    (claim,) = judge(topic, [])
    return claim.declaration


def test_a_declaration_is_known_by_what_is_written_and_asked() -> None:
    others = [
        declaration(text="a is slower"),
        declaration(source="Nobody 2027"),
        declaration(published="4x"),
        declaration(blocks=5),
        declaration(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(4)),
        declaration(lambda e: e.ratio("fit.cpu_s", "a", "b").at_most(3)),
        declaration(lambda e: e.ratio("fit.cpu_s", "a", "c").at_least(3)),
        declaration(lambda e: e.ratio("fit.wall_s", "a", "b").at_least(3)),
        declaration(lambda e: e.ratio("fit.cpu_s", "a", "b", rows=100).at_least(3)),
    ]
    assert len({declaration(), *others}) == 1 + len(others)
    assert declaration(lambda e: e.ratio("fit.cpu_s", of="a", to="b").at_least(3)) == declaration()


def test_trials_and_other_claims_leave_a_declaration_as_it_is() -> None:
    (alone,) = judge(make_topic(three), [])
    measured, _ = judge(make_topic(three, lambda e: e.tied("auc", "a", "b", 0.1)), aggregate(one_run(pair(4))))
    assert measured.verdict == "supported"
    assert alone.declaration == measured.declaration


SIZES = (100, 1000, 10_000)


def powers(
    costs: dict[str, tuple[float, float]], *, spread: float = 0.0, blocks: int = 4, seed: int = 0
) -> list[Record]:
    """Costs that are powers of rows: for each strategy its factor and exponent."""
    rng = np.random.default_rng(seed)
    return [
        record(name, block, factor * rows**exponent * math.exp(rng.normal(0, spread)), params={"rows": rows})
        for block in range(blocks)
        for rows in SIZES
        for name, (factor, exponent) in costs.items()
    ]


CROSSING = {"a": (30.0, 0.5), "b": (1.0, 1.0)}  # meet at 900 rows


@pytest.mark.parametrize(
    ("check", "estimate"),
    [
        (lambda e: e.slope("fit.cpu_s", "a").at_most(0.6), 0.5),
        (lambda e: e.slope("fit.cpu_s", "a", "b").at_most(-0.4), -0.5),
        (lambda e: e.slope("fit.cpu_s", "b", over=("rows", 100, 1000, 10_000)).within(0.1, of=1), 1.0),
        (lambda e: e.growth("fit.cpu_s", "b", "a", ("rows", 100, 10_000)).at_least(9), 10.0),
        (lambda e: e.growth("fit.cpu_s", "a", "b", ("rows", 100, 10_000)).at_most(0.2), 0.1),
        (lambda e: e.speedup("fit.cpu_s", "b", ("rows", 1000, 100)).at_least(9), 10.0),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").at_most(1000), 900.0),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").within(0.2, of=1000), 900.0),
        (lambda e: e.crossover("fit.cpu_s", "a", "b", over=("rows", 100, 10_000)).at_least(500), 900.0),
    ],
)
def test_what_varies_with_size(check: Check, estimate: float) -> None:
    exact = judged(check, one_run(powers(CROSSING)))
    assert exact.estimate == pytest.approx(estimate)
    noisy = judged(check, one_run(powers(CROSSING, spread=0.01)))
    assert noisy.verdict == "supported"
    assert noisy.low is not None
    assert noisy.high is not None
    assert noisy.low < estimate < noisy.high
    assert noisy.p is not None
    assert noisy.p < 0.05


def test_a_fixed_cost_decides_no_exponent() -> None:
    """Both are linear; a third and a half of their costs at 100 rows are fixed."""
    starts = {"a": 60.0, "b": 20.0}
    records = [
        record(name, r.trial.block, r.phases["fit"].cpu_s[0] + starts[name], params=r.trial.params)
        for r in powers({"a": (1.0, 1.0), "b": (0.2, 1.0)}, spread=0.01, blocks=8)
        for name in [r.trial.strategy]
    ]
    for check, estimate in [
        (lambda e: e.slope("fit.cpu_s", "a").within(0.1, of=1), 1.0),
        (lambda e: e.slope("fit.cpu_s", "b").within(0.1, of=1), 1.0),
        (lambda e: e.slope("fit.cpu_s", "a", "b").within(0.1), 0.0),
    ]:
        found = judged(check, one_run(records))
        assert found.verdict == "supported"
        assert found.estimate == pytest.approx(estimate, abs=0.05)
        assert found.asked.endswith(" in rows, beside a fixed cost")


def test_a_cost_that_no_power_fits_has_no_interval() -> None:
    records = [
        record("a", block, cost + block / 100, params={"rows": rows})
        for block in range(4)
        for rows, cost in zip(SIZES, (3.0, 2.0, 9.0), strict=True)
    ]
    found = judged(lambda e: e.slope("fit.cpu_s", "a").at_most(1), one_run(records))
    assert (found.verdict, found.estimate, found.low) == ("inconclusive", None, None)
    assert found.reason.startswith("no power of the size fits, beside a fixed cost")


def test_intervals_over_sizes_hold_the_truth_as_often_as_they_say() -> None:
    truths: list[tuple[Check, float]] = [
        (lambda e: e.slope("fit.cpu_s", "a", "b").at_most(0), -0.5),
        (lambda e: e.growth("fit.cpu_s", "b", "a", ("rows", 100, 10_000)).at_least(1), 10.0),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").at_most(1000), 900.0),
    ]
    topic = make_topic(*[check for check, _ in truths])
    held = np.zeros(len(truths))
    for seed in range(200):
        found = judge(topic, aggregate(one_run(powers(CROSSING, spread=0.02, seed=seed))))
        held += [
            (claim.low or 0) <= truth <= (claim.high or 0) for claim, (_, truth) in zip(found, truths, strict=True)
        ]
    assert np.abs(held / 200 - 0.95).max() <= 3 * math.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize(
    ("check", "verdict", "reason"),
    [
        (lambda e: e.slope("fit.cpu_s", "a").at_least(0.6), "refuted", ""),
        (
            lambda e: e.slope("fit.cpu_s", "a").at_least(0.5),
            "inconclusive",
            "the interval includes 0.5: more blocks may",
        ),
        (lambda e: e.growth("fit.cpu_s", "a", "b", ("rows", 100, 1000)).at_least(1), "refuted", ""),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").at_least(2000), "refuted", ""),
        (
            lambda e: e.crossover("fit.cpu_s", "b", "a").at_most(5000),
            "refuted",
            "b grows dearer against a, not cheaper",
        ),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").at_most(10**6), "inconclusive", "1,000,000 is outside of the"),
        (
            lambda e: e.crossover("fit.cpu_s", "b", "c").at_most(1000),
            "inconclusive",
            "the two costs grow too similarly",
        ),
    ],
)
def test_what_does_not_hold_with_size(check: Check, verdict: str, reason: str) -> None:
    found = judged(check, one_run(powers(CROSSING | {"c": (2.0, 1.0)}, spread=0.01, seed=3)))
    assert (found.verdict, found.reason[: len(reason)]) == (verdict, reason)


def test_a_crossover_and_its_p_agree() -> None:
    """The bound at the end of the interval has p = 0.05."""
    runs = one_run(powers(CROSSING, spread=0.1))
    interval = judged(lambda e: e.crossover("fit.cpu_s", "a", "b").at_most(1000), runs)
    for bound in (interval.low, interval.high):
        assert bound is not None

        def at_bound(evidence: Evidence, bound: float = bound) -> Verdict:
            return evidence.crossover("fit.cpu_s", "a", "b").at_most(bound)

        assert judged(at_bound, runs).p == pytest.approx(0.05)


def ranked(
    orders: dict[str, str], *, spread: float = 0.001, blocks: int = 5, gap: float = 0.05, seed: int = 2
) -> list[Record]:
    """Strategies in a planted order of AUC in each scenario, best last."""
    rng = np.random.default_rng(seed)
    return [
        record(name, block, auc=0.5 + gap * order.index(name) + rng.normal(0, spread), scenario=scenario)
        for block in range(blocks)
        for scenario, order in orders.items()
        for name in order
    ]


OVER = ("scenario", "clean", "noisy")


@pytest.mark.parametrize(
    ("noisy", "estimate", "verdict"),
    [("abcd", 1.0, "supported"), ("badc", 1 / 3, "refuted"), ("dcba", -1.0, "refuted")],
)
def test_order(noisy: str, estimate: float, verdict: str) -> None:
    found = judged(lambda e: e.order("auc", OVER).at_least(0.8), one_run(ranked({"clean": "abcd", "noisy": noisy})))
    assert found.estimate == pytest.approx(estimate)
    assert found.verdict == verdict
    assert not found.cost
    assert found.scope == "data, clean and noisy (rows=1000 threads=1), on machine (cpu)"
    command = "bakeoff run t/task -s a -s b -s c -s d -d data --scenario clean --scenario noisy --blocks 5"
    assert found.commands == (command,)


@pytest.mark.parametrize("seed", range(20))
def test_an_order_that_noise_could_turn_is_not_decided(seed: int) -> None:
    """The order is the same, but the strategies are closer than their noise."""
    records = ranked({"clean": "abcd", "noisy": "abcd"}, spread=0.05, gap=0.01, seed=seed)
    assert judged(lambda e: e.order("auc", OVER).at_least(0.8), one_run(records)).verdict == "inconclusive"


def test_an_order_is_of_strategies_measured_on_both_sides_and_once_each() -> None:
    records = ranked({"clean": "abcd", "noisy": "abc"})
    varied = [record("a", r.trial.block, auc=0.0, scenario=r.trial.scenario, options={"bins": 8}) for r in records]
    found = judged(lambda e: e.order("auc", OVER).at_least(0.8), one_run(records + varied))
    assert found.verdict == "supported"
    assert "-s d" not in found.commands[0]
    assert "bins" not in found.commands[0]


def test_tau_is_scipys() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        one, other = rng.integers(0, 5, (2, 6)).astype(float)
        expected = float(stats.kendalltau(one, other).statistic)
        if not math.isnan(expected):
            assert tau(one, other) == pytest.approx(expected)
    assert tau(np.ones(3), np.ones(3)) == 1
    assert tau(np.ones(3), np.arange(3.0)) == 0


def test_one_block_gives_no_verdict() -> None:
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), one_run(pair(4, spread=0, blocks=1)))
    assert (found.verdict, found.blocks) == ("inconclusive", 1)
    assert found.reason.startswith("one block gives no interval")
    assert (found.low, found.high, found.p) == (None, None, None)
    assert found.estimate == pytest.approx(4)
    assert found.commands[0].endswith("--blocks 10")


def test_two_runs_on_the_same_data_are_one_block_of_quality_and_two_of_cost() -> None:
    runs: list[Run] = [(name, "machine", pair(4, blocks=1)) for name in ("one", "two")]
    assert judged(lambda e: e.difference("auc", "a", "b").at_least(0), runs).blocks == 1
    assert judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), runs).blocks == 2


@pytest.mark.parametrize(
    ("check", "floor"),
    [
        (lambda e: e.ratio("fit.cpu_s", "a", "b", rows=10_000).at_least(3.2), 1.0),
        (lambda e: e.growth("fit.cpu_s", "b", "a", ("rows", 100, 10_000)).at_least(9.6), math.sqrt(2)),
        (lambda e: e.speedup("fit.cpu_s", "b", ("rows", 1000, 100)).at_least(9.6), 1.0),
        # log((c3 - c2) / (c2 - c1)) / log(10) for costs of 1, 10 and 100: its derivatives by the logarithm of each.
        (lambda e: e.slope("fit.cpu_s", "b").at_least(0.98), math.hypot(1, 11, 10) / 9 / math.log(10) / math.sqrt(2)),
    ],
)
def test_nothing_is_claimed_under_the_noise_floor(check: Check, floor: float) -> None:
    """`floor` is the answer's standard deviation in those of a log-ratio: four blocks, t = 3.18 at three degrees."""
    runs = one_run(powers(CROSSING, spread=1e-6))
    plain = judged(check, runs)
    assert plain.verdict in ("supported", "refuted")
    assert plain.estimate is not None
    bound = float(plain.expected.removeprefix("at least "))
    apart = abs(math.log(plain.estimate / bound)) if plain.cost else abs(plain.estimate - bound)
    least = apart * 2 / stats.t.ppf(0.975, 3) / floor
    drowned = judged(check, runs, {"machine": 1.001 * least})
    assert (drowned.verdict, drowned.reason) == (
        "inconclusive",
        "closer to the bound than the noise floor of the machine",
    )
    assert judged(check, runs, {"machine": 0.999 * least}).verdict == plain.verdict
    assert judged(check, runs, {"another": 1.0}).verdict == plain.verdict


def test_the_noise_floor_is_of_costs() -> None:
    found = judged(lambda e: e.difference("auc", "a", "b").at_least(0.03), one_run(pair(4)), {"machine": 1.0})
    assert found.verdict == "supported"


def test_many_claims_need_more_evidence() -> None:
    """A claim with p = 0.03 alone stands; beside two others with as much it does not, and the certain ones do."""

    def weak(evidence: Evidence) -> Verdict:
        return evidence.ratio("fit.cpu_s", "a", "b").at_least(bound)

    def strong(evidence: Evidence) -> Verdict:
        return evidence.ratio("fit.cpu_s", "a", "b").at_least(1)

    aggregates = aggregate(one_run(pair(4)))
    (sure,) = judge(make_topic(strong), aggregates)
    assert sure.estimate is not None
    assert sure.low is not None
    width = math.log(sure.estimate / sure.low)
    bound = sure.estimate * math.exp(-width * stats.t.ppf(1 - 0.03 / 2, 5) / stats.t.ppf(0.975, 5))
    (alone,) = judge(make_topic(weak), aggregates)
    assert alone.verdict == "supported"
    assert alone.p == pytest.approx(0.03)
    *weaker, certain = judge(make_topic(weak, weak, strong), aggregates)
    assert [claim.verdict for claim in weaker] == ["inconclusive"] * 2
    assert weaker[0].reason == "certain enough alone, but not among the 3 claims measured (p = 0.06 after Holm)"
    assert certain.verdict == "supported"


def test_false_verdicts_on_a_family_are_rare() -> None:
    """Ten claims whose bound is the truth: any decided one is an error, and at most 5 % of families have one."""

    def at_bound(name: str, bound: float) -> Check:
        return lambda evidence: evidence.ratio("fit.cpu_s", name, "d").at_least(bound)

    topic = make_topic(*[at_bound(name, 1.0) for name in "abc"], *[at_bound(name, 1.0) for name in "abcabca"])
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(300):
        records = [record(name, block, math.exp(rng.normal())) for block in range(6) for name in "abcd"]
        wrong += any(claim.verdict in ("supported", "refuted") for claim in judge(topic, aggregate(one_run(records))))
    assert wrong / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_machines_are_not_mixed() -> None:
    runs: list[Run] = [("one", "small", pair(2, blocks=4)), ("two", "large", pair(8, blocks=5))]
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(4), runs)
    assert (found.verdict, found.blocks) == ("supported", 5)
    assert found.scope.endswith("on large (cpu), of 2 machines the one with the most blocks")


def test_what_is_left_open_is_averaged_over() -> None:
    records = [*pair(2, spread=0), *pair(8, spread=0, params={"threads": 2})]
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), one_run(records))
    assert found.estimate == pytest.approx(4)
    assert found.scope == "mean over 2 cells of data, clean (rows=1000 threads=1,2), on machine (cpu)"
    assert "--set threads=1,2" in found.commands[0]
    alone = judged(lambda e: e.ratio("fit.cpu_s", "a", "b", threads=2).at_least(3), one_run(records))
    assert alone.estimate == pytest.approx(8)


def test_cells_of_other_runs_do_not_hide_the_evidence() -> None:
    """Cells measured in different blocks cannot be averaged block by block: those with the most evidence count."""
    runs: list[Run] = [
        ("quick", "machine", pair(2, blocks=2, params={"rows": 50})),
        ("full", "machine", pair(4, blocks=5)),
    ]
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3), runs)
    assert (found.verdict, found.blocks) == ("supported", 5)
    assert "(not 1 more cells, measured in other blocks)" in found.scope


def test_the_fullest_choice_has_no_gap() -> None:
    assert fullest({"x": [1, 2, 3], "y": [2, 3]}) == (["x", "y"], [2, 3])
    assert fullest({"x": range(10), "y": [9]}) == (["x"], list(range(10)))
    assert fullest({"x": [1, 2], "y": [1], "z": [1]}) == (["x"], [1, 2]), "one block has no interval"
    assert fullest({"x": range(10), "y": [1], "z": [1]}, least=2) == (["x", "y", "z"], [1])
    assert fullest({"x": [1]}, least=2) == ([], [])
    assert fullest({}) == ([], [])


def test_a_block_without_all_sizes_does_not_count() -> None:
    records = [r for r in powers(CROSSING) if (r.trial.block, r.trial.params["rows"]) != (0, 100)]
    assert judged(lambda e: e.slope("fit.cpu_s", "a").at_most(0.6), one_run(records)).blocks == 3


def test_tasks_are_not_mixed() -> None:
    records = [*pair(4, blocks=5), *pair(2, blocks=3, task="other")]
    topic = make_topic(
        lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3),
        lambda e: e.ratio("fit.cpu_s", "a", "b", task="other").at_least(3),
    )
    first = topic.tasks["task"]
    other = topic.task(
        "other", title="Other", datasets=first.datasets, phases=["fit"], metrics=first.metrics, judge=first.judge
    )
    other.strategies.update(first.strategies)
    one, two = judge(topic, aggregate(one_run(records)))
    assert (one.verdict, two.verdict) == ("supported", "refuted")
    assert one.scope.startswith("task, data, clean (")
    assert two.commands[0].startswith("bakeoff run t/other ")


def not_run(**changes: Any) -> list[Record]:
    return [record("c", block, status="skipped", reason="no CUDA device", phases={}, metrics={}) for block in range(3)]


@pytest.mark.parametrize(
    ("check", "reason", "command"),
    [
        (lambda e: e.ratio("cpu_s", "a", "d").at_least(3), "d was not run there", "-s a -s d --scenario clean"),
        (lambda e: e.ratio("cpu_s", "a", "b[bins=8]").at_least(3), "b[bins=8] was not run there", "--set bins=256,8"),
        (lambda e: e.ratio("cpu_s", "c", "b").at_least(3), "c has no result: skipped (no CUDA device)", "-s c -s b"),
        (
            lambda e: e.ratio("cpu_s", "a", "b", dataset="other").at_least(3),
            "no trial with dataset=other; there are data",
            "-d other",
        ),
        (
            lambda e: e.ratio("cpu_s", "a", "b", scenario="noisy").at_least(3),
            "no trial with scenario=noisy; there are clean",
            "--scenario noisy",
        ),
        (
            lambda e: e.ratio("cpu_s", "a", "b", rows=50).at_least(3),
            "no trial with rows=50; there are 1000",
            "--set rows=50 ",
        ),
        (
            lambda e: e.growth("cpu_s", "a", "b", ("rows", 1000, 9000)).at_least(3),
            "no trial with rows=9000; there are 1000",
            "--set rows=1000,9000 ",
        ),
        (
            lambda e: e.order("auc", OVER).at_least(0.8),
            "no trial with scenario=noisy; there are clean",
            "t/task --scenario clean --scenario noisy",
        ),
        (lambda e: e.slope("cpu_s", "a").at_most(1), "no block has 3 values of rows", "--set rows=100,1000,10000 "),
        (lambda e: e.ratio("device_bytes", "a", "b").at_most(1), "device_bytes of a was not measured", "-s a -s b"),
    ],
)
def test_what_is_missing_is_said(check: Check, reason: str, command: str) -> None:
    found = judged(check, one_run([*pair(4), *not_run()]))
    assert (found.verdict, found.reason, found.estimate, found.blocks) == ("not measured", reason, None, 0)
    assert command in found.commands[0]
    assert found.expected
    assert "machine" not in found.scope


def test_no_record_at_all() -> None:
    found = judged(lambda e: e.ratio("fit.cpu_s", "a", "b", rows=50).at_least(3), [])
    assert (found.verdict, found.reason) == ("not measured", "there are no trials of t")
    assert found.scope == "clean (rows=50)"
    assert found.commands == ("bakeoff run t/task -s a -s b --scenario clean --set rows=50 --blocks 10",)


def test_an_option_at_its_default_is_the_strategy_itself() -> None:
    found = judged(lambda e: e.ratio("fit.cpu_s", "a[bins=256]", "b").at_least(3), one_run(pair(4)))
    assert (found.verdict, found.asked) == ("supported", "ratio of fit.cpu_s, a to b")


def raises(evidence: Evidence) -> Verdict:
    raise ZeroDivisionError("two\nlines")


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (raises, "failed: ZeroDivisionError: two lines"),
        (lambda e: "supported", "asks for no evidence"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3) and None, "returns None, which is not a verdict"),
        (lambda e: e.ratio("fit.cpu_s", "a", "bb").at_least(3), "is wrong: t has no strategy 'bb'; did you mean b?"),
        (lambda e: e.ratio("fit.cpu_s", "a[bin=8]", "b").at_least(3), "has no option 'bin'; did you mean bins?"),
        (lambda e: e.ratio("fit.cpu_s", "a[bins=x]", "b").at_least(3), "strategy a: bins=x is not of type int"),
        (lambda e: e.ratio("fit.cpu", "a", "b").at_least(3), "t measures no 'fit.cpu'; did you mean"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b", task="no").at_least(3), "no task of t has a and b"),
        (lambda e: e.difference("fit.cpu_s", "a", "b").at_least(3), "fit.cpu_s is a cost: ask for its ratio"),
        (lambda e: e.crossover("auc", "a", "b").at_least(3), "auc is not a cost"),
        (lambda e: e.crossover("fit.cpu_s", "a", "b").within(3), "needs of="),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(0), "is compared with numbers above 0"),
        (lambda e: e.difference("auc", "a", "b").at_least(math.nan), "is compared with numbers that are finite"),
        (lambda e: e.slope("fit.cpu_s", "a", over=("rows", 0, 10)).at_least(1), "rows=0 is not a size"),
        (
            lambda e: e.slope("fit.cpu_s", "a", over=("rows", 1, 10)).at_least(1),
            "part of fit.cpu_s may be fixed: its slope needs 3 values of rows",
        ),
        (lambda e: e.speedup("fit.cpu_s", "a", ("rows", 10, 10)).at_least(1), "needs different values of it"),
        (lambda e: e.speedup("fit.cpu_s", "a", ("rows", 1, 2), rows=1).at_least(1), "none beside them"),
    ],
)
def test_a_check_that_is_wrong_is_a_sentence(check: Check, reason: str) -> None:
    found = judged(check, one_run(pair(4)))
    assert found.verdict == "not measured"
    assert found.reason.startswith(f"its check at {__file__}:")
    assert reason in found.reason
    assert "\n" not in found.reason


def test_a_claim_of_two_parts_is_as_sure_as_the_weaker() -> None:
    def both(evidence: Evidence) -> Verdict:
        first = evidence.ratio("fit.cpu_s", "a", "b").at_least(3)
        return evidence.difference("auc", "a", "b").within(0.05) if first == "supported" else first

    found = judged(both, one_run(pair(4)))
    parts = [
        judged(check, one_run(pair(4))).p
        for check in (
            lambda e: e.ratio("fit.cpu_s", "a", "b").at_least(3),
            lambda e: e.difference("auc", "a", "b").within(0.05),
        )
    ]
    assert (found.verdict, found.asked) == ("supported", "difference in auc, a minus b")
    assert found.p == max(p for p in parts if p is not None)
    assert found.commands == ("bakeoff run t/task -s a -s b -d data --scenario clean --blocks 6",)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(Config(folder=Path(__file__).parents[1]))


def test_commands_measure_what_the_built_in_claims_ask(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What each command plans, pretended to have run, decides its claim; and then it gives the same command again."""
    monkeypatch.chdir(tmp_path)
    # A command would declare the same topics again.
    monkeypatch.setattr("harness.registry.load_registry", lambda _settings: registry)
    plans: dict[str, list[Record]] = {}
    for topic in registry.topics.values():
        for index, claim in enumerate(judge(topic, [])):
            assert claim.verdict == "not measured"
            for command in claim.commands:
                if command not in plans:
                    plans[command] = planned(command, registry, capsys)
            records = [record for command in claim.commands for record in plans[command]]
            alone = copy.copy(topic)
            alone.claims = [topic.claims[index]]
            (again,) = judge(alone, aggregate(one_run(records)))
            assert again.verdict != "not measured", f"{claim.text}: {claim.commands}: {again.reason}"
            assert again.blocks == len({record.trial.block for record in records}), claim.text
            # Of an order the strategies are known only when measured.
            asked, given = (set(shlex.split(" ".join(found.commands))) for found in (claim, again))
            assert claim.asked.startswith("rank") or asked <= given


def planned(command: str, registry: Registry, capsys: pytest.CaptureFixture[str]) -> list[Record]:
    """Plan a command through the command line, and pretend that its trials ran."""
    program, verb, *arguments = shlex.split(command)
    assert (program, verb) == ("bakeoff", "run")
    capsys.readouterr()
    run_command.main([*arguments, "--dry-run", "--json"], standalone_mode=False)
    rng = np.random.default_rng(5)
    found = []
    for plain in json.loads(capsys.readouterr().out)["trials"]:
        trial = Trial(**{"params": {}, "options": {}, **plain, "seeds": Seeds(**plain["seeds"])})
        task = registry.topics[trial.topic].tasks[trial.task]
        names = [metric.name for metric in task.metrics]
        names += task.altered_metrics if "--stress" in arguments else ()
        costs = np.exp(rng.normal(size=len(task.phases))).tolist()
        found.append(
            Record(
                trial,
                "ok",
                phases={name: Phase([cost], [cost], 1000) for name, cost in zip(task.phases, costs, strict=True)},
                metrics={name: float(rng.uniform(0.5, 1)) for name in names},
            )
        )
    return found


@pytest.mark.parametrize(("blocks", "verdict"), [(4, "inconclusive"), (5, "supported"), (6, "supported")])
def test_a_claim_is_decided_on_the_blocks_that_it_names(blocks: int, verdict: Verdict) -> None:
    topic = make_topic()
    topic.claim("so", source="Nobody 2026", blocks=5)(lambda evidence: evidence.ratio("cpu_s", "a", "b").at_least(2))
    noise = np.random.default_rng(1).normal(0, 0.01, blocks)
    records = [record("a", block, cost=4 * math.exp(noise[block])) for block in range(blocks)]
    (found,) = judge(topic, aggregate(one_run([*records, *(record("b", block) for block in range(blocks))])))
    assert found.verdict == verdict
    assert (found.reason == "the claim is decided on 5 blocks or more, and 4 were measured") == (blocks < 5)
    assert (found.p is None) == (blocks < 5)  # a claim that is not decided is not among those that Holm adjusts
    assert found.commands[0].endswith(f"--blocks {max(blocks, 5)}")


def test_the_command_of_a_claim_about_all_strategies_runs_those_that_quick_leaves_out() -> None:
    topic = make_topic(lambda evidence: evidence.order("auc", over=("scenario", "clean", "noisy")).at_least(0.5))

    @topic.tasks["task"].strategy("e", quick=False)
    def strategy(problem: Problem, phase: Any) -> None:
        raise NotImplementedError

    (found,) = judge(topic, [])
    assert "-s '*'" in found.commands[0]


def shares(values: Sequence[float], cases: int | None = None, strategy: str = "a") -> list[Record]:
    n = {} if cases is None else {"auc": cases}
    return [record(strategy, block, 1.0 + block, value, n=n) for block, value in enumerate(values)]


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (lambda e: e.mean("auc", "a").at_most(0.05), "supported"),
        (lambda e: e.mean("auc", "a").at_most(0.005), "inconclusive"),
        (lambda e: e.mean("auc", "a").at_least(0.1), "refuted"),
    ],
)
def test_a_rate_of_zero_is_judged_by_its_exact_interval(check: Check, verdict: str) -> None:
    """No event in 200 cases: the rate is at most 0.0183."""
    claim = judged(check, one_run(shares([0.0] * 4, 50)))
    assert (claim.verdict, claim.estimate, claim.low) == (verdict, 0.0, 0.0)
    assert claim.high == pytest.approx(1 - 0.025 ** (1 / 200))
    assert claim.asked == "mean of auc, a"
    assert claim.p is not None
    assert (claim.p < 0.05) == (verdict != "inconclusive")


def test_the_mean_of_what_is_no_rate_needs_spread() -> None:
    claim = judged(lambda e: e.mean("auc", "a").at_most(0.9), one_run(shares([0.5] * 4)))
    assert (claim.verdict, claim.same, claim.p) == ("inconclusive", True, None)
    assert claim.reason == "the same in all 4 blocks, so that its spread is not known: more blocks may decide"
    claim = judged(lambda e: e.mean("auc", "a").at_most(0.9), one_run(shares([0.5, 0.52, 0.48, 0.5])))
    assert claim.verdict == "supported"


def test_a_mean_over_cells_has_the_cases_of_all() -> None:
    records = [
        record("a", block, auc=0.5, n={"auc": 40}, params={"rows": rows}) for block in range(2) for rows in (100, 1000)
    ]
    claim = judged(lambda e: e.mean("auc", "a").at_least(0.4), one_run(records))
    assert (claim.low, claim.high) == pytest.approx(exact(80, 160))


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (lambda e: e.tied("auc", "a", "b", 0.01), "supported"),
        (lambda e: e.difference("auc", "a", "b").at_most(0), "supported"),
        (lambda e: e.difference("auc", "a", "b").at_least(0.01), "refuted"),
        (lambda e: e.ratio("fit.cpu_s", "a", "b").at_most(0.5), "refuted"),
    ],
)
def test_blocks_that_are_all_equal_are_judged_by_the_equality(check: Check, verdict: str) -> None:
    values = [0.5, 0.6, 0.55]
    claim = judged(check, one_run(shares(values) + shares(values, strategy="b")))
    assert (claim.verdict, claim.reason, claim.p) == (verdict, "equal in all 3 blocks", None)


def test_overlapping_training_sets_widen_the_evidence() -> None:
    def width(overlap: float) -> float:
        rows = [record("a", block, auc=auc, overlap=overlap) for block, auc in enumerate([0.5, 0.6, 0.55])]
        rows += [record("b", block, auc=0.5, overlap=overlap) for block in range(3)]
        claim = judged(lambda e: e.difference("auc", "a", "b").at_least(0), one_run(rows))
        assert claim.high is not None
        assert claim.low is not None
        return claim.high - claim.low

    assert width(1.0) == pytest.approx(2 * width(0.0))


def test_a_figure_under_stress_may_be_asked_for() -> None:
    def check(evidence: Evidence) -> Verdict:
        return evidence.difference("auc_at_missing_50", "a", "b").at_least(0.2)

    topic = make_topic(check)
    stress = Stress("missing", lambda data, _level, _rng: data, (0, 50), "missing values, %")
    topic.tasks["task"] = dataclasses.replace(topic.tasks["task"], stress=(stress,))
    rng = np.random.default_rng(0)
    records = [
        record(label, block, metrics={"auc": 0.8, "auc_at_missing_50": level + rng.normal(0, 0.01)})
        for block in range(6)
        for label, level in (("a", 0.7), ("b", 0.4))
    ]
    (found,) = judge(topic, aggregate(one_run(records)))
    assert (found.verdict, found.asked) == ("supported", "difference in auc_at_missing_50, a minus b")
    assert found.commands[0].endswith("--blocks 6 --stress")
