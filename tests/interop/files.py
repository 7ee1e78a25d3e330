"""Files of other tools as those tools write them, and projects to import them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Phase, Record, Seeds, Trial
from harness.store.header import SCHEMA, Header, JudgedMetric

COMMIT = "5f39a5310c2d8f4b6a7e9d1c3b5a7f9e1d2c4b6a"
MACHINE = {"node": "secret-host", "system": "Linux", "cpu": {"brand_raw": "AMD EPYC", "count": 2}}
ASV_MACHINE = {"machine": "secret-host", "cpu": "AMD EPYC", "num_cpu": "2", "ram": "25276510208", "os": "Linux"}
COLUMNS = ["result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25"]
COLUMNS += ["stats_q_75", "stats_number", "stats_repeat", "samples", "profile"]


def benchmark(name: str, times: list[Any], **fields: Any) -> dict[str, Any]:
    """Make a benchmark of pytest-benchmark."""
    stats = fields.pop("stats", {"data": times, "median": 0.5})
    return {"name": name, "fullname": f"tests/test_a.py::{name}", "group": None, "params": None, "param": None} | {
        "extra_info": {},
        "stats": stats,
        **fields,
    }


def saved(path: Path, *benchmarks: dict[str, Any], **fields: Any) -> Path:
    """Save benchmarks as pytest-benchmark does."""
    value = {
        "machine_info": MACHINE,
        "commit_info": {"id": COMMIT, "dirty": True},
        "benchmarks": list(benchmarks),
        "datetime": "2026-03-01T12:00:00.123456+00:00",
        "version": "5.1.0",
    }
    path.write_text(json.dumps(value | fields))
    return path


def asv_row(result: Any, params: list[list[str]] | None = None, samples: Any = None) -> list[Any]:
    """Make a row of asv's results."""
    return [result, params or [], "v", 1, None, None, None, None, None, None, None, samples]


def asv_result(folder: Path, results: dict[str, Any], *, commit: str = COMMIT, date: Any = 0, **fields: Any) -> Path:
    """Save a result as asv does."""
    path = folder / "secret-host" / f"{commit[:8]}-{fields.get('env_name', 'env')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {
        "commit_hash": commit,
        "env_name": "env",
        "date": date or 1_772_366_400_000,
        "params": {**ASV_MACHINE, "python": "/home/me/bin/python3.11"},
        "python": "3.11",
        "requirements": {},
        "env_vars": {},
        "result_columns": COLUMNS,
        "results": results,
        "durations": {},
        "version": 2,
    }
    path.write_text(json.dumps(value | fields))
    (path.parent / "machine.json").write_text(json.dumps({**ASV_MACHINE, "version": 1}))
    return path


def asv_benchmarks(folder: Path, **units: str | tuple[str, list[str]]) -> None:
    """Save what asv says of benchmarks: name with __ for dots to unit, or to unit and names of parameters."""
    found: dict[str, Any] = {"version": 2}
    for name, given in units.items():
        unit, names = given if isinstance(given, tuple) else (given, [])
        own = name.replace("__", ".")
        found[own] = {"name": own, "unit": unit, "param_names": names, "params": [], "type": "track", "version": "v"}
    (folder / "benchmarks.json").write_text(json.dumps(found))


def header(**fields: Any) -> Header:
    """Make the header of a run of ours."""
    own: dict[str, Any] = {
        "schema": SCHEMA,
        "run": "a1b2c3",
        "started": "2026-11-23T02:15:00+00:00",
        "machine": Machine("epyc-2c-24g", cpu="AMD EPYC", cores=2, memory_bytes=2**34, python="CPython 3.11.2"),
        "environment": Environment({"numpy": "2.1"}, COMMIT, dirty=False),
        "selection": Selection(seed=3),
        "plan": "p",
        "trials": 1,
        "command": "bakeoff run t",
        "metrics": (
            JudgedMetric("t/one", "auc", "higher", "1", margin=0.01),
            JudgedMetric("t/one", "gain", "higher", "nat"),
            JudgedMetric("t/one", "loss", "lower", "nat"),
        ),
        "cards": {"flights": "abc"},
    }
    return Header(**own | fields)


def record(strategy: str = "a", block: int = 0, **fields: Any) -> Record:
    """Make a record of ours."""
    own = {name: fields.pop(name) for name in ("params", "options", "dataset", "scenario") if name in fields}
    place: dict[str, Any] = {"dataset": "flights", "scenario": "clean", "params": {"rows": 10}, "options": {}} | own
    trial = Trial("t", "one", strategy, block=block, seeds=Seeds(block + 7, block + 8, 9), **place)
    return Record(trial, **({"status": "ok", "phases": {"fit": Phase([1.5, 2.5], [1.0, 2.0])}} | fields))
