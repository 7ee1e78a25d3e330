"""The claims of a page as a ledger: what was measured here, else what the tracked runs say, else nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.analysis import wording
from harness.report.run import pictures

Plain: TypeAlias = Mapping[str, Any]

#: Verdicts of claims, in the order in which they are counted.
NOT_MEASURED = "not measured"
VERDICTS = ("supported", "refuted", "inconclusive", NOT_MEASURED)


def ledger(payload: Plain, anchors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the claims of each topic: those with a verdict, and the sentences of those without one.

    Parameters
    ----------
    anchors
        Anchor of every topic.
    """
    topics = dict.fromkeys(claim["topic"] for claim in payload["claims"])
    return [_group(topic, payload, f"/claims{anchors[topic]}") for topic in topics]


def described(claim: Plain) -> dict[str, Any]:
    """Return a claim with its estimate and its interval as text."""
    signed = not claim["asked"] or claim["asked"].startswith("difference")
    measured = wording.effect(claim, cost=claim["cost"], signed=signed)
    return {**claim, "measured": measured, "interval": wording.interval(claim, cost=claim["cost"], signed=signed)}


def _group(topic: str, payload: Plain, anchor: str) -> dict[str, Any]:
    claims = [claim for claim in payload["claims"] if claim["topic"] == topic]
    rows = [_row(claim, f"{anchor}/{number}") for number, claim in enumerate(claims, start=1)]
    decided = [row for row in rows if row["verdict"] != NOT_MEASURED]
    counts = Counter(row["verdict"] for row in rows)
    counted = [(word, counts[word]) for word in VERDICTS if counts[word]]
    tracked = sum(row["tracked"] for row in rows)
    return {
        "topic": topic,
        "title": payload["topics"].get(topic, topic).partition(": ")[0],
        "anchor": anchor,
        "rows": sorted(decided, key=lambda row: (row["tracked"], VERDICTS.index(row["verdict"]))),
        "blank": [row for row in rows if row["verdict"] == NOT_MEASURED],
        "unmeasured": sum(claim["verdict"] == NOT_MEASURED for claim in claims),
        "tracked": tracked,
        "text": ", ".join(f"{number} {word}" for word, number in counted)
        + (f"; {tracked} of these by tracked runs, not by this one" if tracked else ""),
        "bars": _bars(rows),
    }


def _row(claim: Plain, anchor: str) -> dict[str, Any]:
    known = claim["tracked"]
    tracked = claim["verdict"] == NOT_MEASURED and known is not None
    shown = described(known if tracked else claim)
    return {
        **shown,
        "anchor": anchor,
        "tracked": tracked,
        "known": described(known) if known and not tracked else None,
        "picture": pictures.interval(shown),
    }


def _bars(rows: Sequence[Plain]) -> list[dict[str, Any]]:
    """Return the parts of a bar 100 wide, one for each verdict; what is tracked has parts of its own."""
    counts = Counter((VERDICTS.index(row["verdict"]), row["tracked"]) for row in rows)
    parts, start = [], 0.0
    for (verdict, tracked), number in sorted(counts.items()):
        width = 100 * number / len(rows)
        parts.append({"word": VERDICTS[verdict], "tracked": tracked, "x": round(start, 2), "width": round(width, 2)})
        start += width
    return parts
