"""The registry of a process that measures another tool's benchmarks; `harness.registry` finds it by a variable."""

from __future__ import annotations

import os
from importlib import import_module

import msgspec

from harness.config import Config
from harness.gate.foreign.suite import ONE_CALL, SUITE, Suite
from harness.interop.foreign.cases import registry_of
from harness.registry import Registry


def registry(config: Config) -> Registry:
    """Collect the suite that a variable describes, in the project's folder, as the tools themselves do.

    Raises
    ------
    UsageError
        When the tool is missing or cannot collect anything.
    """
    suite = msgspec.json.decode(os.environ[SUITE], type=Suite)
    os.chdir(config.folder)
    once = bool(os.environ.get(ONE_CALL))
    # Only the tool that is asked for is imported.
    collector = import_module(f"{__package__}.{'asv' if suite.tool == 'asv' else 'pytest'}_cases")
    return registry_of(suite.tool, collector.collect(suite, config.folder, once=once))
