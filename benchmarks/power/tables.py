"""The tables of docs/gate-power.md, made from the gates of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from power.experiments import PLANTED, Gate
from power.planted_changes import MARGIN
from power.resample import flagged, gates, quality_gates
from power.rules import asv, others

_GATES = 2000
_RULES = 200
_BEGIN, _END = "<!-- tables of benchmarks/gate_power.py -->", "<!-- end of tables -->"
_MOST_BLOCKS = 256


def tables(file: Path) -> str:
    """Return the tables in Markdown."""
    read = [msgspec.json.decode(line, type=Gate) for line in file.read_bytes().splitlines()]
    rng = np.random.default_rng(0)
    parts = ["### CPU time: real gates by the rules of today", *_real(read, ("count", "micro"), "cpu_s")]
    parts += ["", "### CPU time: real gates by an earlier rule", *_real(read, ("lightgbm", "numpy"), "cpu_s")]
    parts += ["", f"### CPU time: {_GATES:,} gates that draw their pairs from those measured", *_resampled(read, rng)]
    parts += ["", "### The rules of other tools in the same machine time: share called slower", *_rules(read, rng)]
    parts += ["", "### Machine time that asv's rule needs to detect as much as the gate", *_matched(read, rng)]
    parts += ["", "### Memory: real readings", *_memory(read)]
    parts += ["", "### Quality: real gates, and gates that draw their seeds from those measured", *_quality(read, rng)]
    return "\n".join(parts) + "\n"


def insert(page: Path, text: str) -> None:
    """Put the tables between their marks in a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    page.write_text(f"{before}{_BEGIN}\n\n{text}\n{_END}{after}", encoding="utf-8")


def _groups(read: Sequence[Gate], workloads: Sequence[str]) -> Iterator[tuple[list[str], float, list[Gate]]]:
    """Go through workload, change and load; with the names of a row, the change, and its gates."""
    for workload in workloads:
        for loaded in (False, True):
            for change in PLANTED[workload][1]:
                wanted = (workload, change, loaded)
                found = [gate for gate in read if (gate.workload, gate.change, gate.loaded) == wanted]
                if found:
                    yield [workload, "loaded" if loaded else "quiet", f"{change:+.0%}"], change, found


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", *(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))]


def _real(read: Sequence[Gate], workloads: Sequence[str], figure: str) -> list[str]:
    rows = []
    for names, _, found in _groups(read, workloads):
        verdicts = [gate.verdicts.get(figure, "failed") for gate in found]
        counts = [verdicts.count(verdict) for verdict in ("regressed", "pass", "improved", "inconclusive", "failed")]
        pairs = float(np.median([len(gate.pairs) for gate in found]))
        seconds = float(np.median([gate.elapsed_s for gate in found]))
        rows.append([*names, str(len(found)), *map(str, counts), f"{pairs:g}", f"{seconds:.0f} s"])
    head = "workload,machine,change,gates,regressed,pass,improved,inconclusive,failed,pairs,time"
    return _table(head.split(","), rows)


def _resampled(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    rows = []
    for names, _, found in _groups(read, ("lightgbm", "numpy")):
        for clock, margin in (("cpu", 0.05), ("wall", 0.1)):
            ratios = np.array([getattr(pair, clock) for gate in found for pair in gate.pairs])
            rates = gates(ratios, float(np.log1p(margin)), _GATES, rng)
            shares = (rates.regressed, rates.passed, rates.inconclusive)
            spread = f"{ratios.mean():+.2%} +- {ratios.std(ddof=1):.2%}"
            rows.append([*names, clock, str(len(ratios)), spread, *(f"{s:.1%}" for s in shares), f"{rates.pairs:.1f}"])
    head = "workload,machine,change,clock,measured,log-ratio of a pair,regressed,pass,inconclusive,pairs"
    return _table(head.split(","), rows)


def _blocks(found: Sequence[Gate]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    pairs = [pair for gate in found for pair in gate.pairs]
    return [np.array(pair.base) for pair in pairs], [np.array(pair.candidate) for pair in pairs]


def _rules(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    rows = []
    for names, _, found in _groups(read, ("lightgbm", "numpy")):
        ratios = np.array([pair.cpu for gate in found for pair in gate.pairs])
        rates = gates(ratios, float(np.log1p(0.05)), _GATES, rng)
        base, candidate = _blocks(found)
        blocks = max(1, round(rates.pairs))
        shares = [flagged(rule, base, candidate, blocks, _RULES, rng) for rule in others().values()]
        rows.append([*names, str(blocks), f"{rates.regressed:.1%}", *(f"{share:.1%}" for share in shares)])
    return _table(["workload", "machine", "change", "processes a side", "gate", *others()], rows)


def _matched(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    """Compute how many processes a side asv's rule needs to detect a slowdown as often as the gate does."""
    rows = []
    for names, change, found in _groups(read, ("lightgbm", "numpy")):
        if change < 0.1:
            continue
        rates = gates(np.array([pair.cpu for gate in found for pair in gate.pairs]), float(np.log1p(0.05)), _GATES, rng)
        base, candidate = _blocks(found)
        blocks, share = 1, 0.0
        while blocks < _MOST_BLOCKS and share < rates.regressed:
            blocks *= 2
            share = flagged(asv(1.05), base, candidate, blocks, _RULES // 4, rng)
        needed = f"{blocks}" if share >= rates.regressed else f"more than {blocks} ({share:.0%} detected)"
        rows.append([*names, f"{rates.regressed:.1%}", f"{rates.pairs:.1f}", needed, f"{blocks / rates.pairs:.1f}x"])
    return _table(["workload", "machine", "change", "detected by the gate", "pairs", "processes a side", "ratio"], rows)


def _memory(read: Sequence[Gate]) -> list[str]:
    rows = []
    for names, _, found in _groups(read, ("memory",)):
        ratios = np.array([ratio for gate in found for ratio in gate.memory])
        regressed = sum(gate.verdicts["peak_bytes"] == "regressed" for gate in found)
        rows.append([*names, str(len(found)), str(regressed), f"{ratios.min():.5f} to {ratios.max():.5f}"])
    return _table(["workload", "machine", "growth", "gates", "regressed", "candidate / base"], rows)


def _quality(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    rows = []
    for names, change, found in _groups(read, ("ridge",)):
        verdicts = [gate.verdicts.get("squared_error", "failed") for gate in found]
        errors = np.array([pair.error for gate in found for pair in gate.pairs if pair.error is not None])
        rates = quality_gates(errors, MARGIN, _GATES // 4, rng)
        counts = [verdicts.count(verdict) for verdict in ("regressed", "pass", "inconclusive")]
        shares = (rates.regressed, rates.passed, rates.inconclusive)
        names[2] = f"{change:g} margins"
        rows.append([*names, str(len(found)), *map(str, counts), *(f"{share:.1%}" for share in shares)])
    head = "workload,machine,drop,gates,regressed,pass,inconclusive,drawn regressed,drawn pass,drawn inconclusive"
    return _table(head.split(","), rows)
