"""Blocks of trials in, records out. `choose` is the only place that makes an executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from harness.config import Config
    from harness.execute.executor import Cluster, Executor, Limits
    from harness.registry import Registry

_Maker: TypeAlias = "Callable[[Registry, Config, Limits, Cluster | None], Executor]"


def _local(registry: Registry, config: Config, limits: Limits, cluster: Cluster | None) -> Executor:
    from harness.execute.local import LocalExecutor

    if cluster is not None:
        raise UsageError("--scheduler and --workers belong to --executor dask; add it, or leave them out")
    return LocalExecutor(registry, config, limits)


def _dask(registry: Registry, config: Config, limits: Limits, cluster: Cluster | None) -> Executor:
    from harness.measure.job import missing_module

    if missing_module("distributed"):
        raise UsageError("package distributed is not installed (in a checkout of Bakeoff: pip install '.[dask]')")
    from harness.execute.dask import DaskExecutor

    if cluster is None:
        raise UsageError("--executor dask needs workers: give --workers N, or --scheduler ADDRESS of a running one")
    if limits.jobs > 1:
        raise UsageError("--jobs belongs to --executor local; give the number of --workers instead")
    return DaskExecutor(registry, config, limits, cluster)


#: Name of an executor to what makes it. A further executor is one module and one entry here.
EXECUTORS: dict[str, _Maker] = {"local": _local, "dask": _dask}


def choose(name: str, registry: Registry, config: Config, limits: Limits, cluster: Cluster | None = None) -> Executor:
    """Make the executor of a name.

    Raises
    ------
    UsageError
        When there is no executor of that name, or it does not go with the rest.
    """
    if name not in EXECUTORS:
        raise UsageError(f"there is no executor {name!r}{did_you_mean(name, EXECUTORS)}")
    return EXECUTORS[name](registry, config, limits, cluster)
