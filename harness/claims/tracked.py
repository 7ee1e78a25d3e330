"""Verdicts on the tracked runs of the repository, which come with the package while the runs do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.analysis.run_set import RunSet
from harness.claims.decide import Judged, judge
from harness.declare import Topic

FILE = Path(__file__).with_name("tracked.json")


class TrackedVerdict(Judged, frozen=True, kw_only=True):
    """A claim as it was judged on tracked runs.

    Attributes
    ----------
    days, commits
        For each of `runs`, the day on which it began (UTC) and the commit of the code that it measured.
    """

    days: tuple[str, ...]
    commits: tuple[str, ...]


def tracked_verdicts() -> dict[str, TrackedVerdict]:
    """Read the verdicts that come with the package, by `Judged.declaration`.

    A claim that was changed since has another declaration, so that no old verdict is found for it.
    """
    verdicts = msgspec.json.decode(FILE.read_bytes(), type=list[TrackedVerdict])
    return {verdict.declaration: verdict for verdict in verdicts}


def track(topic: Topic, run_set: RunSet) -> list[TrackedVerdict]:
    """Judge the claims of a topic on runs, for the file that `tracked_verdicts` reads; what they lack is left out."""
    claims = judge(topic, run_set.comparable, run_set.noise_sd)
    return [_tracked(judged, run_set) for judged in claims if judged.verdict != "not measured"]


def encode(verdicts: Sequence[TrackedVerdict]) -> bytes:
    """Write verdicts as JSON, one on each line."""
    return b"[\n" + b",\n".join(map(msgspec.json.encode, verdicts)) + b"\n]\n"


def _tracked(judged: Judged, run_set: RunSet) -> TrackedVerdict:
    headers = [run_set.header(run, judged.machine) for run in judged.runs]
    figures = {name: _rounded(getattr(judged, name)) for name in ("estimate", "low", "high", "p")}
    return TrackedVerdict(
        **{**msgspec.structs.asdict(judged), **figures},
        days=tuple(header.started.partition("T")[0] for header in headers),
        commits=tuple(header.environment.commit or "" for header in headers),
    )


def _rounded(value: float | None) -> float | None:
    """Round to six digits: the last ones of a float depend on the processor."""
    return None if value is None else float(f"{value:.6g}")
