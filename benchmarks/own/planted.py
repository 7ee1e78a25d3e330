"""The header of a run that was never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.measure.machine import environment, fingerprint
from harness.plan.selection import Selection
from harness.store.header import SCHEMA, Header


def header(trials: int, **changes: Any) -> Header:
    """Make a header for that many trials, as this machine would write it."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "run": "abcdef",
        "started": "2026-01-01T00:00:00+00:00",
        "machine": fingerprint("machine"),
        "environment": environment(Path(__file__).parent),
        "selection": Selection(),
        "plan": "0",
        "trials": trials,
        "command": "bakeoff run",
        "metrics": (),
        "cards": {},
    }
    return Header(**(fields | changes))
