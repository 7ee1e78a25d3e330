"""The machine that another tool's file was measured on, named by its hardware as ours are; never by the host's name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.interop.names import digest
from harness.interop.sources import finite, line, table
from harness.measure.machine import Machine, check_name, slug

_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
# asv's versions give memory in kB or in bytes without saying which: 2**31 kB would be 2 TiB, 2**31 bytes are 2 GiB.
_KILOBYTES_BELOW = 2**31


def renamed(machine: Machine, name: str | None) -> Machine:
    """Give a machine the name that the user chose, if any.

    Raises
    ------
    UsageError
        When that name cannot name a folder.
    """
    if name is None:
        return machine
    check_name(name)
    return msgspec.structs.replace(machine, name=name)


def of_asv(params: Mapping[str, Any], python: str) -> Machine:
    """Describe the machine of an asv result.

    Parameters
    ----------
    params
        As in ``machine.json``: ``cpu``, ``num_cpu``, ``ram``, ``os``.
    python
        Version of Python.
    """
    cores, memory = _count(params.get("num_cpu")), asv_memory(params.get("ram"))
    cpu = line(params.get("cpu"))
    name = slug(cpu, cores, memory) if cpu else _anonymous(params)
    return Machine(
        name, cpu=cpu, cores=cores, cores_total=cores, memory_bytes=memory, os=line(params.get("os")), python=python
    )


def of_pytest_benchmark(info: Mapping[str, Any]) -> Machine:
    """Describe the machine of a pytest-benchmark file; such a file does not tell the memory."""
    found = table(info.get("cpu"))
    cpu = line(found.get("brand_raw") or found.get("brand"))
    cores = _count(found.get("count"))
    python = f"{line(info.get('python_implementation'))} {line(info.get('python_version'))}".strip()
    return Machine(
        slug(cpu, cores, 0) if cpu else _anonymous(info),
        cpu=cpu,
        cores=cores,
        cores_total=cores,
        kernel=line(info.get("release")),
        os=line(info.get("system")),
        python=python,
    )


def asv_memory(value: object) -> int:
    """Read memory as asv or its user wrote it (``25276510208``, ``8055476``, ``4GB``) in bytes; 0 where unknown."""
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*([kmgt]?)i?b?\s*", str(value).lower())
    if not found:
        return 0
    amount, unit = float(found[1]), found[2]
    if not unit:
        return round(amount * 1024 if amount < _KILOBYTES_BELOW else amount)
    return int(min(amount * 1024.0 ** _UNITS[unit], 2.0**60))


def _count(value: object) -> int:
    number = finite(int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value) else value)
    return max(1, min(round(number), 10**6)) if number is not None else 1


def _anonymous(info: Mapping[str, Any]) -> str:
    """Tell machines apart that do not say what they are."""
    return f"machine-{digest(json.dumps(info, sort_keys=True, default=str), 3)}"
