"""The tables of docs/gate-power.md, made from the gates of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from power.experiments import PLANTED, Gate
from power.planted_changes import MARGIN
from power.resample import CAP, EARLIER, TODAY, draw_suites, flagged, gates, intervals, quality_gates
from power.rules import asv, others
from power.suite import Suite

_GATES = 2000
_RULES = 200
_SUITES, _CASES = 3000, 20
_TODAYS = ("count", "small", "micro")
_MARGINS = {"cpu": math.log1p(0.05), "wall": math.log1p(0.1)}
Floats = npt.NDArray[np.float64]

_BEGIN, _END = "<!-- tables of benchmarks/gate_power.py -->", "<!-- end of tables -->"
_MOST_BLOCKS = 256


def tables(file: Path, suites: Path) -> str:
    """Return the tables in Markdown, from the file of gates and that of gates of a project of 20 cases."""
    read = [msgspec.json.decode(line, type=Gate) for line in file.read_bytes().splitlines()]
    rng = np.random.default_rng(0)
    parts = ["### CPU time: real gates by the rules of today", *_real(read, _TODAYS, "cpu_s")]
    parts += ["", f"### {_GATES:,} gates that draw their pairs from those measured, by both rules", *_drawn(read, rng)]
    parts += ["", f"### Real gates of {_CASES} cases, of which two are slower", *_real_suites(suites)]
    parts += ["", f"### {_SUITES:,} drawn suites of {_CASES} cases without a change", *_suites(read, rng)]
    parts += ["", "### CPU time: real gates by an earlier rule", *_real(read, ("lightgbm", "numpy"), "cpu_s")]
    parts += ["", "### Gates that draw their pairs from planted changes, by the rules of today", *_resampled(read, rng)]
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


def _log_ratios(found: Sequence[Gate]) -> Floats:
    """Return the log-ratios of CPU and wall time of all pairs. Shape (pairs, 2)."""
    return np.array([[getattr(pair, clock) for clock in _MARGINS] for gate in found for pair in gate.pairs])


def _unchanged(read: Sequence[Gate], workload: str, *, loaded: bool) -> Floats:
    return _log_ratios([gate for gate in read if (gate.workload, gate.change, gate.loaded) == (workload, 0.0, loaded)])


def _drawn(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    """Draw gates from pairs without a change, to whose log-ratios the change is added; a table for each rule."""
    rows: dict[str, list[list[str]]] = {"today": [], "earlier": []}
    for workload in _TODAYS:
        for loaded in (False, True):
            pool = _unchanged(read, workload, loaded=loaded)
            for change in PLANTED[workload][1] if len(pool) else ():
                ratios = pool + math.log1p(change)
                names = [workload, "loaded" if loaded else "quiet", str(len(pool)), f"{change:+.0%}"]
                for rule, found in zip((TODAY, EARLIER), rows.values(), strict=True):
                    rates = gates(ratios, [*_MARGINS.values()], _GATES, rng, rule)
                    bounds = intervals(ratios, [*_MARGINS.values()], _GATES, rng, rule)
                    shares = (
                        f"{getattr(rates, share):.2%} [{low:.1%}, {high:.1%}]" for share, (low, high) in bounds.items()
                    )
                    found.append([*names, *shares, f"{rates.pairs:.1f}"])
    head = ["workload", "machine", "measured", "change", "regressed", "inconclusive", "pairs"]
    return [*_table(head, rows["today"]), "", "The same by the earlier rule:", *_table(head, rows["earlier"])]


def _real_suites(file: Path) -> list[str]:
    rows = []
    for found in (msgspec.json.decode(line, type=Suite) for line in file.read_bytes().splitlines()):
        by_verdict: dict[str, list[str]] = {}
        for name, verdict in found.not_passed.items():
            by_verdict.setdefault(verdict, []).append(name)
        others = "; ".join(f"{', '.join(names)} {verdict}" for verdict, names in by_verdict.items())
        minutes = f"{found.elapsed_s / 60:.1f} min"
        rows.append(["loaded" if found.loaded else "quiet", str(found.cases), str(found.pairs), minutes, others])
    return _table(["machine", "cases", "pairs", "time, with environments", "not passed"], rows)


def _suites(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    """Draw suites whose cases are of all workloads in turn, and count those that fail."""
    rows = []
    for loaded in (False, True):
        pools = [pool for workload in _TODAYS if len(pool := _unchanged(read, workload, loaded=loaded))]
        if not pools:
            continue
        cases = [rng.choice(pools[case % len(pools)], size=(2, _SUITES, CAP)) for case in range(_CASES)]
        screen, confirm = np.stack(cases, axis=2)
        failed = draw_suites(screen, confirm, [*_MARGINS.values()], TODAY)
        first = int(failed[:300].sum())
        rows.append(["loaded" if loaded else "quiet", f"{first} of 300", f"{int(failed.sum())} of {_SUITES:,}"])
    return _table(["machine", "failed of the first 300", "failed of all"], rows)


def _resampled(read: Sequence[Gate], rng: np.random.Generator) -> list[str]:
    rows = []
    for names, _, found in _groups(read, ("lightgbm", "numpy")):
        for place, (clock, margin) in enumerate(_MARGINS.items()):
            ratios = _log_ratios(found)[:, place]
            rates = gates(ratios[:, None], [margin], _GATES, rng)
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
        rates = gates(_log_ratios(found)[:, :1], [_MARGINS["cpu"]], _GATES, rng)
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
        rates = gates(_log_ratios(found)[:, :1], [_MARGINS["cpu"]], _GATES, rng)
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
