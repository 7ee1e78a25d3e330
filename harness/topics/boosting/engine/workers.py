"""Worker processes of a trial: Dask starts them on this machine, and they end with the trial's training."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from harness import CannotRunError
from harness.topics.boosting.engine import traffic

if TYPE_CHECKING:
    import distributed

    from harness import PhaseClock, Problem

LOOPBACK = "127.0.0.1"
WARM_UP_ROWS = 1_000
_SETTINGS = {
    # Parts of the data stay where they were sent, and nothing samples a worker while it is measured.
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
}

Model = TypeVar("Model")


def threads_each(workers: int, threads: int) -> int:
    """Return the number of threads of each worker, of all those of a trial.

    Raises
    ------
    CannotRunError
        When there are fewer threads or cores than workers.
    """
    if workers < 1:
        raise CannotRunError(f"workers={workers}: training needs at least one worker")
    if workers > threads:
        raise CannotRunError(
            f"{workers} workers need {workers} threads, and this trial has {threads}: give --threads {workers}"
        )
    cores = len(os.sched_getaffinity(0))
    if workers > cores:
        raise CannotRunError(f"{workers} workers need {workers} cores, and this trial has {cores}")
    return threads // workers


@dataclass(frozen=True, eq=False)
class Workers:
    """The workers of a trial.

    Attributes
    ----------
    addresses
        One for each worker, in the order of their parts.
    threads
        Threads of each worker.
    ports
        Those of Dask itself: what is sent over them is not sent by training.
    """

    client: distributed.Client
    addresses: tuple[str, ...]
    threads: int
    ports: frozenset[int]

    def rows(self, array: npt.NDArray[Any]) -> Any:
        """Give each worker a block of consecutive rows, and return them as one array of Dask."""
        import dask.array
        from dask.delayed import delayed

        array_of: Any = dask.array  # untyped
        parts = np.array_split(array, len(self.addresses))
        blocks = [
            array_of.from_delayed(delayed(sent), shape=part.shape, dtype=part.dtype)
            for part, sent in zip(parts, self.send(parts), strict=True)
        ]
        return array_of.concatenate(blocks)

    def send(self, parts: Sequence[Any]) -> list[distributed.Future[Any]]:
        """Send each worker its part."""
        return [
            self.client.scatter(part, workers=[address], hash=False)
            for part, address in zip(parts, self.addresses, strict=True)
        ]

    def together(self, function: Callable[..., Any], *parts: Sequence[Any]) -> list[Any]:
        """Call a function on all workers at once, each with its own of every sequence of parts."""
        calls = [
            self.client.submit(function, *own, workers=[address], pure=False)
            for address, *own in zip(self.addresses, *parts, strict=True)
        ]
        results: list[Any] = self.client.gather(calls)
        return results

    def usage(self) -> list[traffic.Usage]:
        """Return what each worker noted at the end of training.

        Raises
        ------
        RuntimeError
            When a worker had no part in it.
        """
        found: list[traffic.Usage | None] = self.together(traffic.noted)
        noted = [usage for usage in found if usage is not None]
        if len(noted) < len(found):
            raise RuntimeError(f"only {len(noted)} of {len(found)} workers trained")
        return noted


@dataclass(frozen=True, eq=False)
class Fitted(Generic[Model]):
    """A model, with the bytes that its workers sent in all and the largest peak of their memory."""

    model: Model
    bytes_sent: int
    worker_peak_bytes: int


def fitted(
    problem: Problem,
    phase: PhaseClock,
    count: int,
    share: Callable[[Workers, npt.NDArray[Any], npt.NDArray[Any]], Any],
    fit: Callable[[Workers, Any, int], Model],
) -> Fitted[Model]:
    """Train by workers through the phases start, build and fit.

    Parameters
    ----------
    count
        Number of workers.
    share
        ``share(workers, X, y)``: sends the workers their parts of the data.
    fit
        ``fit(workers, parts, trees)``: the model; each worker calls `traffic.note` when it has trained.

    Raises
    ------
    CannotRunError
        When there are fewer threads or cores than workers.
    """
    train = problem.data.train
    threads = threads_each(count, problem.threads)
    with ExitStack() as stack:
        with phase("start"):
            workers = stack.enter_context(started(count, threads))
            # A first training imports libraries on the workers and opens their thread pools.
            fit(workers, share(workers, train.X[:WARM_UP_ROWS], train.y[:WARM_UP_ROWS]), 1)
            workers.usage()
        with phase("build"):
            parts = share(workers, train.X, train.y)
        workers.together(traffic.reset_peak)
        with phase("fit"):
            model = fit(workers, parts, problem.params["trees"])
        usage = workers.usage()
        return Fitted(
            model,
            bytes_sent=sum(one.sent(workers.ports) for one in usage),
            worker_peak_bytes=max(one.peak_bytes for one in usage),
        )


@contextmanager
def started(count: int, threads: int) -> Iterator[Workers]:
    """Start workers of so many threads on the loopback interface; they end with the block, whatever happens in it."""
    import dask
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bakeoff-"))
        cluster = stack.enter_context(
            LocalCluster(
                host=LOOPBACK,
                n_workers=count,
                threads_per_worker=threads,
                processes=True,
                memory_limit=0,  # the harness limits the memory of the whole trial
                dashboard_address=f"{LOOPBACK}:0",
                worker_dashboard_address=f"{LOOPBACK}:0",
                scheduler_kwargs={"dashboard": False},
                local_directory=folder,
                silence_logs=logging.CRITICAL,
                env={"OMP_NUM_THREADS": str(threads)},
            )
        )
        client = stack.enter_context(Client(cluster))
        # What `scheduler_info` returns, the client replaces every few seconds by an answer without workers.
        known = client.sync(client.scheduler.identity)["workers"]
        addresses = tuple(sorted(known, key=lambda address: int(known[address]["name"])))
        places = (client.scheduler.address, *addresses, *(one["nanny"] for one in known.values()))
        ports = frozenset(port for place in places if (port := urlsplit(place).port) is not None)
        yield Workers(client, addresses, threads, ports)
