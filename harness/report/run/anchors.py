"""Names as parts of addresses: the files of a site and the sections of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

#: Anchors of the views that every page has.
VIEWS = ("/", "/claims", "/runs")


def unique(name: str, taken: set[str], form: str = "{}") -> str:
    """Write a name, which may have any characters, as an address that is not taken yet, and take it.

    Parameters
    ----------
    form
        The address around the name, such as ``{}.html``.
    """
    stem = re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:80].strip("-") or "topic"
    numbered = (form.format(stem if number == 1 else f"{stem}-{number}") for number in count(1))
    address = next(address for address in numbered if address not in taken)
    taken.add(address)
    return address


def anchors(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the anchor of every topic and task of a page: ``/boosting``, ``/boosting/tabular-binary``."""
    taken = set(VIEWS)
    topics = dict.fromkeys(part["topic"] for part in (*payload["tasks"], *payload["claims"]))
    found = {topic: unique(topic, taken, "/{}") for topic in topics}
    for task in payload["tasks"]:
        topic = task["topic"]
        found[task["id"]] = unique(task["id"].removeprefix(f"{topic}/"), taken, f"{found[topic]}/{{}}")
    return found
