"""Blocks of trials in, records out. `choose` is the only place that makes an executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from harness.config import Config
    from harness.execute.executor import Executor, Limits
    from harness.registry import Registry

_Maker: TypeAlias = "Callable[[Registry, Config, Limits], Executor]"


def _local(registry: Registry, config: Config, limits: Limits) -> Executor:
    from harness.execute.local import LocalExecutor

    return LocalExecutor(registry, config, limits)


#: Name of an executor to what makes it. A further executor is one module and one entry here.
_EXECUTORS: dict[str, _Maker] = {"local": _local}


def choose(name: str, registry: Registry, config: Config, limits: Limits) -> Executor:
    """Make the executor of a name.

    Raises
    ------
    UsageError
        When there is no executor of that name.
    """
    if name not in _EXECUTORS:
        raise UsageError(f"there is no executor {name!r}{did_you_mean(name, _EXECUTORS)}")
    return _EXECUTORS[name](registry, config, limits)
