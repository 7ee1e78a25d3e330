"""Writes the page of the runs that ``results/claims.json`` lists: ``python docs/make_page.py report.html``."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from harness.config import Config
from harness.report.run.page import render, write
from harness.report.run.payload import collect

ROOT = Path(__file__).parents[1]


def main(page: Path) -> None:
    """Write one page of the runs of all topics."""
    runs = msgspec.json.decode((ROOT / "results" / "claims.json").read_bytes(), type=dict[str, list[str]])
    names = [name for own in runs.values() for name in own]
    write(page, render(collect(Config(folder=ROOT), names, history=False)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
