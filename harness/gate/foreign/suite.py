"""A project's own benchmarks, of asv or pytest-benchmark: what both sides of a live gate are told of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from harness.registry import REGISTRY

#: The variable by which a side knows the suite.
SUITE = "BAKEOFF_SUITE"
#: The variable with a folder for what benchmarks write, which the gate removes in the end.
SCRATCH = "BAKEOFF_SUITE_FOLDER"
#: The variable with the file, in memory, in which the processes of a side share what asv's setup_cache returns.
SHARED = "BAKEOFF_SUITE_SHARED"
#: The variable of a process that reads memory: it makes one call.
ONE_CALL = "BAKEOFF_ONE_CALL"
#: The module of the harness that collects it there; by name, since the gate imports no other tool.
_COLLECTOR = "harness.interop.foreign.registry"

Tool = Literal["asv", "pytest-benchmark"]


class Suite(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the benchmarks are, relative to the project's folder.

    Attributes
    ----------
    path
        The package of asv's benchmarks, or what pytest collects.
    taken
        Files and folders that the base takes from the candidate, so that both sides run the same benchmarks.
    pattern
        Regular expression of the benchmarks to run; empty for all.
    """

    tool: Tool
    path: str
    taken: tuple[str, ...]
    pattern: str = ""

    def variables(self, scratch: Path, shared: int) -> dict[str, str]:
        """Return the environment variables that have a side collect the suite.

        Parameters
        ----------
        scratch
            Folder for what benchmarks write.
        shared
            Descriptor of the side's file in memory, which this process keeps open.
        """
        return {
            REGISTRY: _COLLECTOR,
            SUITE: msgspec.json.encode(self).decode(),
            SCRATCH: str(scratch),
            SHARED: f"/proc/{os.getpid()}/fd/{shared}",
        }
