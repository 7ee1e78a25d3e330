"""The memory pass of both sides: one trial each with the allocator's noise switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from harness.config import read_config
from harness.errors import BakeoffError
from harness.gate.decision import SideName
from harness.gate.environments.build import SideEnvironment
from harness.measure.client import Server
from harness.measure.machine import memory_budget
from harness.measure.messages import Request
from harness.records import Trial, figures

MEASURES = ("peak_bytes", "device_bytes")
DATASETS = "BAKEOFF_DATASETS"  # the variable that goes over a configuration's folder of data


class Reading(msgspec.Struct, omit_defaults=True):
    """Memory of one trial on both sides, by figure in bytes; or why a side has none."""

    base: dict[str, float] = {}
    candidate: dict[str, float] = {}
    failed: dict[SideName, str] = {}


class MemoryPass:
    """Measures memory; its fork servers end with the ``with`` statement."""

    def __init__(self, sides: Mapping[SideName, SideEnvironment], timeout_s: float) -> None:
        self._sides = sides
        self._timeout_s = timeout_s
        self._servers: dict[tuple[SideName, str], Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.close()

    def measure(self, trial: Trial, cores: Sequence[int]) -> Reading:
        """Run the trial once on each side."""
        reading = Reading()
        for name in self._sides:
            request = Request(trial, list(cores), self._timeout_s, memory_budget())
            try:
                record = self._server(name, trial.topic).run(request).record
            except BakeoffError as error:
                reading.failed[name] = str(error)
                continue
            if record.status == "ok":
                found = figures(record)
                getattr(reading, name).update({measure: found[measure] for measure in MEASURES if measure in found})
            else:
                reading.failed[name] = record.reason
        return reading

    def _server(self, name: SideName, topic: str) -> Server:
        if (name, topic) not in self._servers:
            side = self._sides[name]
            config = read_config(side.folder)
            if DATASETS in side.variables:
                config = msgspec.structs.replace(config, datasets=side.variables[DATASETS])
            self._servers[name, topic] = Server(topic, config, quiet=True, python=side.python, variables=side.variables)
        return self._servers[name, topic]
