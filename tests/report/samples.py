"""Payloads of pages, with figures made from a seed and their tables computed by harness.stats."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from harness.analysis.advice import Advice
from harness.analysis.aggregates import CellAggregate, RunBlock, StrategyAggregate
from harness.analysis.verdicts import Compared, compare
from harness.records import Cell

Plain = dict[str, Any]

HOSTILE = "<script>alert(1)</script> \"quoted\" 'single' & 🎉 </script><!-- =1+1 " + "x" * 140

MEASURES: list[Plain] = [
    {"name": "cpu_s", "title": "CPU time", "cost": True, "unit": "s", "better": "lower"},
    {"name": "peak_bytes", "title": "peak memory", "cost": True, "unit": "byte", "better": "lower"},
    {"name": "fit.cpu_s", "title": "CPU time of fit", "cost": True, "unit": "s", "better": "lower"},
    {"name": "auc", "title": "auc", "cost": False, "unit": "1", "better": "higher"},
    {"name": "log_loss", "title": "log_loss", "cost": False, "unit": "nat", "better": "lower"},
]
LABELS = ("base", "fast", "slow", "small[bins=8]", "gpu", "flaky", "constant")
SPEED = {"base": 1.0, "fast": 0.4, "slow": 3.0, "small[bins=8]": 1.0, "flaky": 1.2, "constant": 0.001}
QUALITY = {"base": 0.8, "fast": 0.8, "slow": 0.83, "small[bins=8]": 0.76, "flaky": 0.81, "constant": 0.5}


def payload(*tasks: Plain, machines: int = 1, runs: int = 1, claims: Sequence[Plain] = ()) -> Plain:
    """Make a payload of some tasks; the runs go round the machines."""
    from scipy.special import stdtrit

    made: Plain = {
        "t": [float(stdtrit(df, 0.975)) for df in range(1, 201)],
        "made": "2026-11-24T22:30:00+00:00",
        "version": "0.1.0",
        "title": "Bakeoff: planted",
        "runs": [run(f"{index:06x}", f"machine-{index % machines}") for index in range(runs)],
        "machines": [machine(f"machine-{index}", sd=0.01 if index == 0 else None) for index in range(machines)],
        "remarks": [],
        "topics": {task["topic"]: f"{task['topic']}: what it is about" for task in tasks},
        "tasks": list(tasks),
        "claims": list(claims),
    }
    for task in tasks:
        fill_tables(made, task)
    return made


def run(name: str, machine: str) -> Plain:
    return {
        "run": name,
        "session": None,
        "machine": machine,
        "started": "2026-11-23T04:21:21+00:00",
        "commit": "5f39a531",
        "dirty": False,
        "command": "bakeoff run planted --blocks 5",
        "planned": 35,
        "recorded": 35,
        "statuses": {"ok": 28, "skipped": 5, "failed": 2},
        "contaminated": 1,
        "packages": {"numpy": "2.4.6"},
        "schema": "1.1",
    }


def machine(name: str, *, sd: float | None) -> Plain:
    noise = {
        "pairs": 273,
        "within_core": 0.01,
        "between_cores": None,
        "sd": sd,
        "measured": "2026-11-23T04:00:00+00:00",
    }
    return {
        "name": name,
        "cpu": "AMD EPYC",
        "cores": 2,
        "memory_bytes": 25_276_510_208,
        "kernel": "6.1",
        "os": "Debian GNU/Linux 12",
        "python": "CPython 3.11.7",
        "virtual": True,
        "devices": [],
        "load": 0.4,
        "stolen": 0.001,
        "foreign": 0.002,
        "contaminated": 0.03,
        "noise": noise if sd else None,
    }


def claim(verdict: str = "supported", *, text: str = "fast takes at most half the CPU of base", **other: Any) -> Plain:
    return {
        "topic": "planted",
        "text": text,
        "source": "Nobody 2026, section 1",
        "published": "2.5x",
        "verdict": verdict,
        "expected": "at most 0.5",
        "at_least": None,
        "at_most": 0.5,
        "asked": "ratio of cpu_s, fast to base",
        "cost": True,
        "estimate": 0.4,
        "low": 0.38,
        "high": 0.42,
        "blocks": 5,
        "same": False,
        "scope": "planted-data, clean",
        "reason": "",
        "commands": ["bakeoff run planted/choose -s fast -s base --blocks 5"],
        "tracked": None,
        **other,
    }


def task(
    name: str = "planted/choose",
    *,
    labels: Sequence[str] = LABELS,
    datasets: Sequence[str] = ("planted-data",),
    scenarios: Sequence[str] = ("clean", "noisy"),
    params: Sequence[Plain] = ({"rows": 1000, "threads": 1}, {"rows": 10000, "threads": 1}),
    machines: Sequence[int] = (0,),
    runs: Sequence[int] = (0,),
    blocks: int = 5,
    baseline: str = "constant",
    seed: int = 0,
) -> Plain:
    """Make a task: ``gpu`` is skipped everywhere, ``flaky`` fails in the first two blocks of each run."""
    rng = np.random.default_rng(seed)
    places = [(m, d, s, p) for m in machines for d in datasets for s in scenarios for p in params]
    return {
        "id": name,
        "topic": name.partition("/")[0],
        "title": "Choose among planted strategies",
        "reference": labels[0] if labels else "",
        "baseline": baseline,
        "setup": [],
        "left_out": "",
        "measures": [{"margin": 0.0, "summary": "", **measure} for measure in MEASURES],
        "strategies": [strategy(label) for label in labels],
        "cells": [_cell(rng, place, labels, runs, blocks, name) for place in places],
        "scaling": [],
        "tuning": [],
        "curves": [],
        "datasets": [card(dataset) for dataset in datasets],
        "leaders": [("smallest", "small: 0.50x the memory [0.48, 0.52], auc 0.7")] if labels else [],
        "advice": asdict(Advice("settled", labels[0], "2.5x less CPU than slow")) if labels else None,
        "points": points(labels),
        "rankings": None,
        "models": [],
        "history": [],
    }


def points(labels: Sequence[str]) -> list[Plain]:
    """Place strategies by cost and quality; the first is taken."""
    return [
        {
            "strategy": index,
            "cost": SPEED.get(label, 1.0),
            "quality": QUALITY.get(label, 0.7),
            "role": "take" if index == 0 else "other",
        }
        for index, label in enumerate(labels)
        if label != "gpu"
    ]


def model(**other: Any) -> Plain:
    """Make a model of two maps: ``fast`` wins where there are many rows, ``base`` elsewhere, one place is a tie."""

    def predictions(count: int) -> Iterator[Plain]:
        for x, y in itertools.product((10, 1_000), (1_000, 1_000_000, 1_000_000_000)):
            first, second = ("fast", "base") if y > 1_000 * count else ("base", "fast")
            tied = (x, y) == (10, 1_000_000)
            place = {"x": x, "y": y, "winner": first, "cost": y * x * 1e-9, "second": second}
            doubt = "the interval contains 1" if tied else ""
            yield place | {"ratio": 1.5, "low": 0.9 if tied else 1.2, "high": 2.0, "doubt": doubt}

    panels = [{"title": f"{count:,} workers", "predictions": list(predictions(count))} for count in (8, 1024)]
    check = {"what": "fast, time", "where": "5 rows", "unit": "s", "predicted": 1.1, "measured": 1.0, "error": 0.1}
    found: Plain = {
        "basis": "Extrapolated from two rows to all others.",
        "x": "columns",
        "y": "rows",
        "cost": "time of a tree",
        "unit": "s",
        "strategies": ["base", "fast"],
        "panels": panels,
        "constants": [{"name": "row", "unit": "s", "estimate": 1e-9, "low": 0.9e-9, "high": 1.2e-9}],
        "validations": [check],
        "errors": [{"what": "fast, time", "sizes": 1, "median": 0.1, "largest": 0.1}],
        "notes": ["Caches are left out."],
    }
    return {"title": "Many workers", "reason": "", "commands": [], "map": {**found, **other}}


def unfitted(reason: str = "Nothing of it was measured.") -> Plain:
    """Make a model that lacks its measurements."""
    return {"title": "Other workers", "reason": reason, "commands": ["bakeoff run planted/choose"], "map": None}


def strategy(label: str) -> Plain:
    return {
        "label": label,
        "strategy": label.partition("[")[0],
        "options": {"bins": 8} if "bins" in label else {},
        "defaults": {"bins": 256},
        "summary": f"The strategy {label}.",
        "note": "Departs from nothing.",
        "device": "cuda" if label == "gpu" else "cpu",
    }


def card(name: str) -> Plain:
    return {
        "name": name,
        "title": "Planted data",
        "summary": "Numbers from a seed.",
        "licence": "CC0-1.0",
        "source": "this test",
        "url": "https://example.org/data",
        "description": "Nothing more to say.",
        "version": "1",
        "features": {"age": "years"},
    }


def _cell(
    rng: np.random.Generator,
    place: tuple[int, str, str, Plain],
    labels: Sequence[str],
    runs: Sequence[int],
    blocks: int,
    name: str,
) -> Plain:
    machine, dataset, scenario, params = place
    units = [[run, block, block] for run in runs for block in range(blocks)]
    drift = rng.normal(0, 0.05, len(units))
    return {
        "machine": machine,
        "dataset": dataset,
        "scenario": scenario,
        "params": dict(params),
        "units": units,
        "overlap": 0.5 if scenario == "noisy" else 0.0,
        "rows": [_row(rng, index, label, units, drift, params, name) for index, label in enumerate(labels)],
        "table": [],
        "outliers": [],
    }


def _row(
    rng: np.random.Generator,
    index: int,
    label: str,
    units: Sequence[Sequence[int]],
    drift: np.ndarray,
    params: Mapping[str, Any],
    name: str,
) -> Plain:
    count = len(units)
    lost = [label == "flaky" and block < 2 for _, block, _ in units]
    rows = float(params.get("rows", 1000))
    speed, quality = SPEED.get(label, 1 + index / 100), QUALITY.get(label, 0.7 + index / 2000)
    cpu = speed * rows / 1000 * np.exp(drift + rng.normal(0, 0.03, count))
    columns = {
        "cpu_s": cpu,
        "peak_bytes": 2e7 * speed**0.3 * np.exp(rng.normal(0, 0.01, count)),
        "fit.cpu_s": 0.9 * cpu,
        "auc": quality + drift / 10 + rng.normal(0, 0.003, count),
        "log_loss": 1 - quality + rng.normal(0, 0.003, count),
    }
    values = {m: [None if gone else float(v) for v, gone in zip(c, lost, strict=True)] for m, c in columns.items()}
    statuses = {"ok": count - sum(lost), "failed": sum(lost)}
    troubles: list[list[Any]] = [["failed", "ValueError: it broke", sum(lost)]] if any(lost) else []
    if label == "gpu":
        values, statuses, troubles = {}, {"skipped": count}, [["skipped", "no CUDA device", count]]
    return {
        "strategy": index,
        "values": values,
        "steps": {"log_loss": 0.004},
        "rates": {},
        "statuses": {status: number for status, number in statuses.items() if number},
        "troubles": troubles,
        "diverged": "",
        "front": {},
        "chosen": "",
        "work": [
            {"phase": "fit", "unit": "row", "times": 1000.0, "cpu_s": 2e-6, "wall_s": 3e-6, "peak_bytes": None},
            {"phase": "predict", "unit": "row", "times": 10.0, "cpu_s": None, "wall_s": None, "peak_bytes": None},
        ],
        "command": f"bakeoff run {name} -s {label!r} --set rows={params.get('rows')} --blocks {count}",
    }


def fill_tables(payload: Plain, task: Plain) -> None:
    """Compute the tables that a page shows without scripts."""
    for cell in task["cells"]:
        labels = [task["strategies"][row["strategy"]]["label"] for row in cell["rows"]]
        columns = compared(payload, task, [cell], task["reference"])
        own = aggregates(payload, task, cell)
        cell["table"] = [
            {
                "strategy": row["strategy"],
                "cells": [
                    {"median": own.entries[label].median(name), "rate": None, **plain(column[label])}
                    for name, column in columns.items()
                ],
            }
            for row, label in zip(cell["rows"], labels, strict=True)
        ]


def aggregates(payload: Plain, task: Plain, cell: Plain) -> CellAggregate:
    """Turn a cell of a payload back into what harness.stats works on."""
    place = Cell(task["topic"], task["id"], cell["dataset"], cell["scenario"], tuple(sorted(cell["params"].items())))
    entries = {}
    for row in cell["rows"]:
        about = task["strategies"][row["strategy"]]
        columns = {
            name: np.array([math.nan if v is None else v for v in values]) for name, values in row["values"].items()
        }
        cases = {name: np.full(len(cell["units"]), 1 / step) for name, step in row["steps"].items()}
        entries[about["label"]] = StrategyAggregate(about["strategy"], about["options"], columns, cases)
    runs = payload["runs"]
    units = [
        RunBlock(runs[run]["run"], block, seed, "" if (own := runs[run]["session"]) is None else runs[own]["run"])
        for run, block, seed in cell["units"]
    ]
    return CellAggregate(payload["machines"][cell["machine"]]["name"], place, units, entries, cell["overlap"])


def compared(payload: Plain, task: Plain, cells: Sequence[Plain], reference: str) -> dict[str, dict[str, Compared]]:
    """Compare all strategies of some cells of one machine with a reference on all measures, in Python."""
    noise = payload["machines"][cells[0]["machine"]]["noise"]
    measures = {measure["name"]: measure["better"] for measure in task["measures"]}
    labels = [s["label"] for i, s in enumerate(task["strategies"]) if any(_has(cell, i) for cell in cells)]
    own = [aggregates(payload, task, cell) for cell in cells]
    return compare(own, labels, reference, measures, noise_sd=noise and noise["sd"])


def _has(cell: Plain, strategy: int) -> bool:
    return any(row["strategy"] == strategy for row in cell["rows"])


def plain(found: Compared) -> Plain:
    """Return a comparison as a payload holds it."""
    none: Plain = {"estimate": None, "low": None, "high": None, "blocks": 0, "same": False}
    interval = none if found.effect is None else found.effect.plain()
    return {**interval, "p": None if math.isnan(found.p) else found.p, "verdict": found.word}


def draw_all(page: Any) -> None:
    """Open every part of the page's tasks and draw all charts of the view that is shown."""
    page.evaluate("document.querySelectorAll('.part').forEach((part) => { part.open = true; })")
    page.evaluate("bakeoff.figures.drawAll()")
