"""What a strategy needs of this machine, and why it cannot run where that is missing."""

from __future__ import annotations

import importlib.util

from harness.declare import Strategy, Topic
from harness.measure import device
from harness.registry import BUILTIN


def missing_module(name: str) -> bool:
    """Return whether a module's top-level package is not installed; imports nothing."""
    return importlib.util.find_spec(name.split(".", 1)[0]) is None


def why_not(strategy: Strategy, topic: Topic) -> str:
    """Return why a topic's strategy cannot run on this machine; empty when it can."""
    for need in (*strategy.needs, *topic.needs):
        if missing_module(need):
            return f"package {need.split('.', 1)[0]} is not installed{_remedy(topic.name)}"
    return device.missing(strategy.device)


def _remedy(topic: str) -> str:
    builtin = importlib.util.find_spec(f"{BUILTIN}.{topic}") is not None
    return f" (in a checkout of Bakeoff: pip install '.[{topic}]')" if builtin else ""
