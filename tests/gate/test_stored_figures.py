"""Memory and quality of stored runs."""

from __future__ import annotations

import numpy as np
import pytest
from gate.stored_runs import AUC, MEMORY, both, finding, session

from harness.config import GatePolicy
from harness.gate.stored.gate import decide
from harness.gate.stored.sides import StoredRun


@pytest.mark.parametrize(
    ("growth", "verdict"), [(1.02, "regressed"), (1.004, "pass"), (0.9, "improved"), (1.0, "pass")]
)
@pytest.mark.parametrize("source", ["quiet", "exact"])
def test_growth_of_memory(growth: float, verdict: str, source: str) -> None:
    rng = np.random.default_rng(6)
    jitter = 1 + rng.normal(0, 0.0002, 10)
    decision = both(
        lambda block: {"memory": int(MEMORY * jitter[block]), "memory_source": source},
        lambda block: {"memory": int(MEMORY * growth * jitter[5 + block]), "memory_source": source},
    )
    found = finding(decision, "peak_bytes")
    assert (found.verdict, found.kind, found.pairs) == (verdict, "memory", 5)
    assert found.effect is not None
    assert found.effect.estimate == pytest.approx(growth, abs=0.001)


def test_growth_under_the_floor_is_a_pass() -> None:
    small = both(lambda _: {"memory": 1_000_000}, lambda _: {"memory": 1_200_000})
    assert finding(small, "peak_bytes").verdict == "pass"
    grown = both(lambda _: {"memory": 0}, lambda _: {"memory": 90_000_000})
    assert finding(grown, "peak_bytes").verdict == "regressed"


def test_blocks_that_disagree_are_inconclusive() -> None:
    growths = (1.0, 1.03, 0.99, 1.04, 1.01)
    for source in ("quiet", "exact"):
        decision = both(
            lambda _: {"memory_source": source},  # noqa: B023 - called within the loop
            lambda block: {"memory": int(MEMORY * growths[block]), "memory_source": source},  # noqa: B023
        )
        assert finding(decision, "peak_bytes").verdict == "inconclusive"
        assert "neither no growth nor growth by 1.0% is excluded" in finding(decision, "peak_bytes").reason


@pytest.mark.parametrize(
    ("base", "candidate", "reason"),
    [
        ("sampled", "sampled", "memory was sampled, which misses short peaks"),
        ("quiet", "exact", "memory was read in different ways, quiet in base and exact in candidate"),
        (None, None, "memory was sampled, which misses short peaks"),
    ],
)
def test_memory_that_tells_nothing(base: str | None, candidate: str | None, reason: str) -> None:
    jitter = (1.0, 1.001, 0.999, 1.002, 0.998)
    decision = both(
        lambda _: {"memory_source": base},
        lambda block: {"memory": int(MEMORY * 1.5 * jitter[block]), "memory_source": candidate},
    )
    found = finding(decision, "peak_bytes")
    assert found.verdict == "inconclusive"
    assert reason in found.reason


def test_one_exact_block_does_not_tell_the_spread() -> None:
    def one(number: int, memory: int) -> StoredRun:
        plant = {"memory": memory, "memory_source": "exact"}
        return session(number, number, lambda _: plant, blocks=1)

    found = finding(decide([one(1, MEMORY)], [one(2, 2 * MEMORY)], GatePolicy()), "peak_bytes")
    assert found.verdict == "inconclusive"
    assert "one block does not tell how far readings scatter" in found.reason


def test_equal_metrics_pass() -> None:
    found = finding(both(lambda _: {}, lambda _: {}), "auc")
    assert (found.verdict, found.reason, found.pairs) == ("pass", "metrics equal to 6 digits in 5 seeds", 5)


def test_lost_quality_is_regressed_in_either_direction() -> None:
    jitter = (0.0, 0.0003, -0.0002, 0.0001, -0.0004)
    decision = both(
        lambda _: {"auc": 0.8, "loss": 0.4},
        lambda block: {"auc": 0.77 + jitter[block], "loss": 0.43 + jitter[block]},
    )
    assert finding(decision, "auc").verdict == finding(decision, "loss").verdict == "regressed"
    effect = finding(decision, "auc").effect
    assert effect is not None
    assert effect.low < effect.estimate < effect.high < 0
    assert effect.estimate == pytest.approx(-0.03, abs=0.001)


def test_faster_but_worse_is_regressed_and_says_so() -> None:
    jitter = (0.0, 0.0003, -0.0002, 0.0001, -0.0004)
    decision = both(
        lambda _: {"cpu": 1.0, "auc": 0.8},
        lambda block: {"cpu": 0.2, "auc": 0.78 + jitter[block]},
    )
    (case,) = decision.cases
    assert (case.verdict, finding(decision, "cpu_s").verdict) == ("regressed", "improved")
    assert case.reason == "0.20x of the CPU time, but auc fell by 0.02"


def test_other_seeds_are_unpaired() -> None:
    jitter = (0.0, 0.0003, -0.0002, 0.0001, -0.0004)
    decision = both(
        lambda block: {"auc": 0.8 + jitter[block]}, lambda block: {"auc": 0.7 + jitter[-block], "seed": 1000}
    )
    found = finding(decision, "auc")
    assert found.verdict == "regressed"
    assert "over 5 and 5 seeds, unpaired because the sides share no seeds" in found.reason


def test_a_single_changed_seed_does_not_tell() -> None:
    decision = decide(
        [session(1, 0, lambda _: {"auc": 0.8}, blocks=1)],
        [session(2, 1, lambda _: {"auc": 0.7}, blocks=1)],
        GatePolicy(),
    )
    found = finding(decision, "auc")
    assert found.verdict == "inconclusive"
    assert "2 blocks or more" in found.reason


def test_a_metric_that_is_gone_is_not_measured() -> None:
    decision = decide([session(1, 0)], [session(2, 1, lambda _: {"metrics": {"auc": 0.8}})], GatePolicy())
    assert finding(decision, "loss").verdict == "not measured"
    undeclared = decide(
        [session(1, 0)], [session(2, 1, lambda _: {"metrics": {"auc": 0.8}}, metrics=(AUC,))], GatePolicy()
    )
    assert (finding(undeclared, "loss").verdict, finding(undeclared, "loss").unit) == ("not measured", "nat")
