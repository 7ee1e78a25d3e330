"""Judges the claims of the built-in topics on the runs that ``results/claims.json`` lists for each topic.

``python docs/make_tracked.py harness/claims/tracked.json`` writes the verdicts that come with the package.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from harness.analysis.run_set import read_run_set
from harness.claims.tracked import encode, track
from harness.config import Config
from harness.registry import load_registry
from harness.store.runs import find_all

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"


def main(file: Path) -> None:
    """Write the verdicts on the claims of all topics that are listed."""
    topics = load_registry(Config(folder=ROOT)).topics
    runs = msgspec.json.decode((RESULTS / "claims.json").read_bytes(), type=dict[str, list[str]])
    sets = {name: read_run_set(find_all(RESULTS, ids)) for name, ids in runs.items()}
    file.write_bytes(encode([verdict for name, own in sets.items() for verdict in track(topics[name], own)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
