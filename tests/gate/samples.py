"""Decisions with known verdicts."""

from __future__ import annotations

import datetime
import math
from typing import Any

import msgspec
import numpy as np

from harness.config import Allowed, GatePolicy
from harness.gate.decision import Case, Decision, Effect, Finding, Pair, Side, Verdict, worst
from harness.gate.policy import apply_policy
from harness.measure.machine import Machine

TODAY = datetime.date(2026, 11, 25)
HOSTILE = "<script>alert(1)</script>|*b*`c`[l](x)#1@you\nnew\x1b[31m\x00%0A::error::,\u202e</details>]]>"
MACHINE = Machine(
    "planted-2c-4g", "Planted CPU", 2, 2, 4 * 2**30, kernel="6.1", os="Debian 12", python="CPython 3.11.2"
)
POLICY = GatePolicy()
_MARGINS = {"cpu_s": 0.05, "wall_s": 0.1, "peak_bytes": 0.01}


def cost(figure: str, ratio: float, verdict: Verdict = "pass", **more: Any) -> Finding:
    """Make a finding on a cost: a ratio with an interval of 2 % to either side."""
    kind, unit = ("memory", "byte") if figure.endswith("_bytes") else ("time", "s")
    base = 20e6 if kind == "memory" else 0.5
    effect = Effect(ratio, ratio / 1.02, ratio * 1.02, base, base * ratio)
    made = {"effect": effect, "pairs": 4, "p": 0.004, "reason": f"because it is {ratio:g} times the base", **more}
    return Finding(figure, kind, unit, "lower", _MARGINS[figure.rpartition(".")[2]], verdict, **made)  # type: ignore[arg-type]


def metric(difference: float, verdict: Verdict = "pass", name: str = "auc", **more: Any) -> Finding:
    """Make a finding on a metric of which more is better."""
    effect = Effect(difference, difference - 0.001, difference + 0.001, 0.78, 0.78 + difference)
    made = {"effect": effect, "pairs": 4, "p": 0.01, "reason": "because of its examples", **more}
    return Finding(name, "quality", "1", "higher", 0.002, verdict, **made)


def pairs(ratio: float = 1.0, count: int = 4, rounds: int = 12, confirm: int = 0, seed: int = 0) -> list[Pair]:
    """Make pairs whose candidate takes `ratio` of the base's time, with noise between pairs and between rounds."""
    rng = np.random.default_rng(seed)
    made = []
    for block in range(count + confirm):
        base: dict[str, list[float]] = {}
        candidate: dict[str, list[float]] = {}
        shift = rng.normal(math.log(ratio), 0.005)
        for phase, share in (("", 1.0), ("fit.", 0.9), ("predict.", 0.1)):
            for clock, spread in (("cpu_s", 0.01), ("wall_s", 0.02)):
                own = 0.5 * share * np.exp(rng.normal(0, 0.05, rounds))
                base[phase + clock] = own.tolist()
                candidate[phase + clock] = (own * np.exp(shift + rng.normal(0, spread, rounds))).tolist()
        made.append(
            Pair(
                block,
                "screen" if block < count else "confirm",
                "candidate" if block % 2 else "base",
                [block % 2],
                base,
                candidate,
                {"base": {"auc": 0.78}, "candidate": {"auc": 0.78}},
                identical=True,
                elapsed_s=2.5,
            )
        )
    return made


def case(strategy: str = "hist", *findings: Finding, **more: Any) -> Case:
    """Make a case whose verdict is that of its worst finding."""
    made: dict[str, Any] = {
        "topic": "planted",
        "task": "sums",
        "strategy": strategy,
        "dataset": "flights",
        "scenario": "clean",
        "params": {"rows": 1000, "threads": 1},
        "findings": list(findings),
        "verdict": worst(finding.verdict for finding in findings),
    }
    return Case(**{**made, **more})


def passing(strategy: str = "hist", **more: Any) -> Case:
    """Make a case in which nothing changed."""
    findings = (
        cost("cpu_s", 1.001),
        cost("wall_s", 0.998),
        cost("fit.cpu_s", 1.002),
        cost("peak_bytes", 1.0),
        metric(0.0),
    )
    return case(strategy, *findings, **{"pairs": pairs(), **more})


def regressed(strategy: str = "exact", **more: Any) -> Case:
    """Make a case whose CPU time rose by 8 %."""
    slow = cost("cpu_s", 1.08, "regressed", reason="worse in 4 pairs, and in 8 fresh ones again")
    findings = (cost("wall_s", 1.07), slow, cost("peak_bytes", 1.0), metric(0.0))
    return case(strategy, *findings, **{"pairs": pairs(1.08, 4, confirm=8), **more})


def inconclusive(strategy: str = "approx", **more: Any) -> Case:
    """Make a case of which too few pairs were had."""
    open_time = cost(
        "cpu_s", 1.03, "inconclusive", reason="neither is excluded: needs about 24 pairs, had 16", needs=24
    )
    findings = (open_time, cost("wall_s", 1.01), cost("peak_bytes", 1.0), metric(-0.001, "inconclusive", needs=9))
    return case(strategy, *findings, **{"pairs": pairs(1.03, 16), **more})


def improved(strategy: str = "quantile", **more: Any) -> Case:
    """Make a case that takes four fifths of the time."""
    return case(strategy, cost("cpu_s", 0.8, "improved"), metric(0.01, "improved"), **{"pairs": pairs(0.8), **more})


def failed(strategy: str = "gpu", **more: Any) -> Case:
    """Make a case whose candidate raises."""
    broken = pairs(count=1)[0]
    broken = msgspec.structs.replace(broken, base={}, candidate={}, failed={"candidate": "ValueError: no such tree"})
    told = {"verdict": "failed", "reason": "the candidate failed in 1 of 1 pairs: ValueError: no such tree"}
    return case(strategy, **{**told, "pairs": [broken], **more})


def unmeasured(strategy: str = "cluster", **more: Any) -> Case:
    """Make a case that the candidate no longer has."""
    return case(strategy, **{"verdict": "not measured", "reason": "the candidate has no such strategy", **more})


def decision(*cases: Case, policy: GatePolicy = POLICY, **more: Any) -> Decision:
    """Make a decision on some cases, with the policy applied."""
    made: dict[str, Any] = {
        "base": Side("origin/main", "4ed559bb1234567890", False, {"xgboost": "3.0.0", "numpy": "2.1.0"}),
        "candidate": Side("working tree", "7bffaaa01234567890", True, {"xgboost": "3.1.0", "numpy": "2.1.0"}),
        "live": True,
        "machine": MACHINE,
        "started": "2026-11-25T02:00:00+00:00",
        "elapsed_s": 754.0,
        "command": "bakeoff gate --base origin/main",
    }
    return apply_policy(Decision(**{**made, **more}, policy=policy, cases=list(cases)), TODAY)


def every() -> Decision:
    """Make a decision with a case of every verdict, an allowed regression, and remarks."""
    accepted = Allowed("planted/sums/slow*", datetime.date(2026, 12, 31), "the new split finder is not tuned yet (#12)")
    policy = GatePolicy(allowed=(accepted,))
    return decision(
        passing(),
        passing("hist", params={"rows": 10_000, "threads": 1}),
        regressed(),
        inconclusive(),
        improved(),
        failed(),
        unmeasured(),
        regressed("slow[max_bin=64]"),
        policy=policy,
        remarks=["1 case is left out: it needs a CUDA device"],
    )


def hostile() -> Decision:
    """Make a decision whose every text is hostile."""
    names = {"topic": HOSTILE, "task": HOSTILE, "dataset": HOSTILE, "scenario": HOSTILE, "params": {HOSTILE: HOSTILE}}
    bad = cost("cpu_s", 1.2, "regressed", reason=HOSTILE)
    odd = metric(-0.1, "regressed", HOSTILE, reason=HOSTILE)
    side = Side(HOSTILE, HOSTILE, True, {HOSTILE: HOSTILE})
    accepted = Allowed("planted/*", datetime.date(2027, 1, 1), HOSTILE)
    return decision(
        case(HOSTILE, bad, odd, **names, pairs=pairs()),
        case(HOSTILE, **names, verdict="failed", reason=HOSTILE, pairs=[Pair(0, failed={"base": HOSTILE})]),
        regressed(HOSTILE),
        policy=GatePolicy(allowed=(accepted,), margins={HOSTILE: 0.1}),
        base=side,
        candidate=Side(HOSTILE),
        machine=Machine(HOSTILE, HOSTILE),
        command=HOSTILE,
        started=HOSTILE,
        remarks=[HOSTILE],
    )


def large(count: int = 200, rounds: int = 12) -> Decision:
    """Make a decision on many cases with many pairs."""
    made = [
        regressed(f"strategy-{at}", pairs=pairs(1.08, 16, rounds, seed=at))
        if at % 20 == 0
        else inconclusive(f"strategy-{at}", pairs=pairs(1.03, 16, rounds, seed=at))
        if at % 20 == 1
        else passing(f"strategy-{at}", pairs=pairs(1.0, 16, rounds, seed=at))
        for at in range(count)
    ]
    return decision(*made)
