"""The executor on the workers of Dask, on this machine or on many.

One task of Dask is one whole block, so that what is compared with each other runs on one machine. A worker has room for
one block at a time, its resource ``block``, and runs it as the local executor does: through fork servers, each trial in
a process of its own. The workers of one machine divide its cores among themselves.

The scheduler is given as many blocks as there are workers, and one more whenever one has ended. So they begin in the
order of the plan, no worker waits while another has several, and the scheduler never holds a long plan.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, Future, LocalCluster, WorkerPlugin
from distributed.comm.core import connect
from distributed.scheduler import KilledWorker
from distributed.security import Security
from distributed.versions import VersionMismatchWarning

from harness.config import Config, encode_config
from harness.errors import BakeoffError, UsageError
from harness.execute.dask_worker import Order, enter, leave, run_block
from harness.execute.executor import Block, Cluster, EngineError, Limits, Place, Receiver
from harness.execute.local import Obstacles
from harness.measure.machine import Machine, environment, fingerprint
from harness.records import Trial
from harness.registry import Registry

ROOM = {"block": 1}
_WORKER = run_block.__module__
_CONNECT_S = 5.0
_LOOK_S = 1.0
_SETTINGS = {
    # Blocks stay where they were sent, and nothing samples the worker while a trial is measured.
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
}
# In what machines of one name must not differ.
_KIND = ("cpu", "cores", "cpu_quota", "python", "governor", "smt", "virtual", "devices")

_log = logging.getLogger(__name__)


class DaskExecutor:
    """Sends whole blocks to the workers of a scheduler, or to workers that it starts on this machine."""

    def __init__(self, registry: Registry, config: Config, limits: Limits, cluster: Cluster) -> None:
        if bool(cluster.scheduler) == bool(cluster.workers):
            raise UsageError("--executor dask needs either --workers N or --scheduler ADDRESS, and not both")
        self._config = config
        self._limits = limits
        self._where = cluster
        self._obstacles = Obstacles(registry)
        self._key = uuid4().hex
        self._client: Client | None = None
        self._own: LocalCluster | None = None
        self._machines: dict[str, str] = {}
        self._order: Order | None = None

    @property
    def machines(self) -> frozenset[str]:
        """Names of the machines of the workers that were there at first."""
        return frozenset(self._machines.values())

    def prepare(self, trials: Sequence[Trial]) -> None:
        """Connect to the workers, and refuse those on which the trials cannot run as they would here.

        Raises
        ------
        UsageError
            When there is no scheduler or no worker, or when a worker has other software than this machine, or lacks
            room for a block, a data set, a package or a device.
        """
        if not trials:
            return
        logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)  # what matters is said in one sentence
        client = self._connect()
        here = Place(fingerprint(self._config.machine or None), environment(self._config.folder))
        named = {(trial.topic, trial.task, trial.strategy, trial.dataset): trial for trial in trials}
        able = tuple(trial for trial in named.values() if not self._obstacles.reason(trial))
        self._order = Order(self._key, encode_config(self._config), self._limits, here, able)
        places = self._enter(client, self._order)
        _refuse_unlike({"this machine": here.machine} | {name: place.machine for name, place in places.items()})
        self._machines = {address: place.machine.name for address, place in places.items()}

    def run(self, blocks: Iterable[Block], receive: Receiver, begin: Callable[[Trial], None] = lambda _: None) -> None:
        """Run blocks, as many at once as there are workers; a block whose worker died is run again as a whole."""
        chosen = list(blocks)
        if not chosen:
            return
        if self._order is None:
            self.prepare([trial for block in chosen for trial in block.trials])
        if self._client is None or self._order is None:
            raise EngineError("the executor is closed")
        try:
            _Dispatch(self._client, self._scheduler, self._order, self._machines).run(chosen, receive, begin)
        finally:
            self.close()

    def close(self) -> None:
        """Stop what runs on the workers, and end those that were started here."""
        client, self._client = self._client, None
        own, self._own = self._own, None
        # Whatever fails now, what has ended is on record.
        with suppress(Exception):
            if client is not None and client.status == "running":
                client.run(leave, self._key, on_error="ignore")
        for made in (client, own):
            with suppress(Exception):
                if made is not None:
                    made.close(timeout=_CONNECT_S)

    def _connect(self) -> Client:
        address = self._where.scheduler
        with dask.config.set(_SETTINGS):
            if not address:
                self._own = LocalCluster(
                    n_workers=self._where.workers,
                    threads_per_worker=1,
                    resources=ROOM,
                    memory_limit=0,  # the harness limits the memory of its trials; the worker itself needs little
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    plugins=(_IgnoreInterrupt(),),
                )
                address = self._own.scheduler_address
            try:
                asyncio.run(_greet(address))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", VersionMismatchWarning)  # what differs is refused below
                    self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
            except Exception as error:  # something else than a scheduler may answer with anything
                raise UsageError(
                    f"no scheduler answers at {address} ({_first_line(error)}): start one with 'dask scheduler', "
                    "correct the address, or give --workers N"
                ) from None
        return self._client

    def _enter(self, client: Client, order: Order) -> dict[str, Place]:
        """Have every worker get ready and say where it is."""
        resources = _resources(client, self._scheduler)
        if not resources:
            raise UsageError(f"{self._scheduler} has no workers: start some with: {self._command}")
        for address, found in resources.items():
            if found != ROOM["block"]:
                raise UsageError(
                    f"worker {address} has room for {found:g} blocks instead of 1: start it with: {self._command}"
                )
        self._check_installed(client)
        futures = {
            address: client.submit(
                enter, order, workers=[address], resources=ROOM, pure=False, priority=1, key=f"enter-{uuid4().hex}"
            )
            for address in resources
        }
        places = {}
        for address, future in futures.items():
            while not future.done():
                if address not in _resources(client, self._scheduler):
                    raise UsageError(f"worker {address} ended as it was given the run: see what it printed")
                with suppress(Exception):
                    future.result(timeout=_LOOK_S)
            places[address] = _result(future, self._scheduler, f"worker {address}")
        return places

    def _check_installed(self, client: Client) -> None:
        """Refuse a scheduler or a worker without what runs there: it could not read what it is sent."""
        workers = client.run(import_module, _WORKER, on_error="return")
        found: dict[str, object] = {f"worker {address}": answer for address, answer in workers.items()}
        try:
            client.run_on_scheduler(import_module, _WORKER)
        except ImportError as error:
            found[self._scheduler] = error
        for who, answer in found.items():
            if isinstance(answer, Exception):
                raise UsageError(
                    f"{who} cannot load this version of bakeoff ({_first_line(answer)}): install it there, and start "
                    "it again"
                )

    @property
    def _scheduler(self) -> str:
        return f"the scheduler at {self._where.scheduler}" if self._where.scheduler else "the scheduler here"

    @property
    def _command(self) -> str:
        return f"dask worker {self._where.scheduler} --nthreads 1 --resources block=1"


@dataclass(frozen=True)
class _Sent:
    """A block that is with the scheduler, and the addresses of the only workers that may run it; empty for any."""

    index: int
    block: Block
    to: frozenset[str]


class _Dispatch:
    """Sends blocks to workers and hands over what comes back.

    A scheduler that somebody else started may steal work: it moves a task that has not begun from a busy worker to an
    idle one. That does no harm to a block that any worker may run. A block that a machine began is restricted to the
    workers of that machine; with Dask's `allow_other_workers` it could be stolen all the same. When these workers have
    all ended, Dask would wait for them. The block is then taken back and sent to any worker, because a worker that was
    started again has another address.
    """

    def __init__(self, client: Client, scheduler: str, order: Order, machines: Mapping[str, str]) -> None:
        self._client = client
        self._order = order
        self._machines = machines
        self._scheduler = scheduler
        self._ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._running: dict[Future[Any], _Sent] = {}
        self._number = count()
        self._workers = frozenset(machines)
        self._looked = -_LOOK_S

    def run(self, blocks: Sequence[Block], receive: Receiver, begin: Callable[[Trial], None]) -> None:
        """Run all blocks; their order is that in which they begin."""
        waiting = deque(enumerate(blocks))
        while waiting or self._running:
            self._look()
            waiting.extendleft(reversed(self._take_back()))
            while waiting and len(self._running) < len(self._workers):
                index, block = waiting.popleft()
                for trial in block.trials:
                    begin(trial)
                self._send(index, block)
            try:
                future = self._ended.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            sent = self._running.pop(future, None)
            if sent:
                receive(_result(future, self._scheduler, _title(sent.block)))

    def _send(self, index: int, block: Block) -> None:
        own = frozenset(address for address in self._workers if block.machine == self._machines.get(address))
        future = self._client.submit(
            run_block,
            self._order,
            block,
            key=f"block-{self._order.key}-{next(self._number)}",
            resources=ROOM,
            priority=-index,
            workers=sorted(own) or None,
            pure=False,
        )
        self._running[future] = _Sent(index, block, own)
        future.add_done_callback(self._ended.put)

    def _take_back(self) -> list[tuple[int, Block]]:
        """Cancel the blocks whose workers have all left, and return them."""
        taken = {
            future: sent
            for future, sent in self._running.items()
            if sent.to and sent.to.isdisjoint(self._workers) and not future.done()
        }
        for future in taken:
            del self._running[future]
            future.cancel()
        return [(sent.index, sent.block) for sent in taken.values()]

    def _look(self) -> None:
        """List the workers now and then: some leave, and others come."""
        if time.monotonic() - self._looked < _LOOK_S:
            return
        if self._client.status != "running":
            raise _lost(self._scheduler)
        rooms = _resources(self._client, self._scheduler)
        workers = frozenset(address for address, room in rooms.items() if room == ROOM["block"])
        if not workers and self._workers:
            _log.warning("%s has no workers left; waiting for some", self._scheduler)
        self._workers = workers
        self._looked = time.monotonic()


async def _greet(address: str) -> None:
    """Connect to a scheduler once: a client that cannot do so may hang for 10 s when it is deleted."""
    comm = await connect(address, timeout=_CONNECT_S, **Security().get_connection_args("client"))
    await comm.close()


class _IgnoreInterrupt(WorkerPlugin):
    """Leaves an interruption from the keyboard, which reaches all processes of the terminal, to the harness."""

    def setup(self, worker: Any) -> None:  # noqa: ARG002
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _resources(client: Client, scheduler: str) -> dict[str, float]:
    """Return how many blocks each worker has room for."""
    try:
        # What `scheduler_info` returns, the client replaces every few seconds by an answer without workers.
        workers = client.sync(client.scheduler.identity)["workers"]  # type: ignore[union-attr]  # None once it is closed
    except Exception as error:  # whatever a broken connection raises
        raise _lost(scheduler) from error
    return {address: worker["resources"].get("block", 0) for address, worker in workers.items()}


def _result(future: Future[Any], scheduler: str, what: str) -> Any:
    """Return what a task of Dask returned, or say in one sentence why there is nothing."""
    if future.status in ("cancelled", "lost"):
        raise _lost(scheduler)
    try:
        return future.result()
    except BakeoffError:
        raise
    except KilledWorker as error:
        raise EngineError(f"{what} was given up, as {error.allowed_failures + 1} workers ended while it ran") from error
    except Exception as error:
        raise EngineError(f"{what} could not be run: {type(error).__name__}: {_first_line(error)}") from error


def _lost(scheduler: str) -> EngineError:
    return EngineError(f"{scheduler} is gone")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _title(block: Block) -> str:
    return f"block {block.trials[0].block} of {block.trials[0].cell.title}"


def _refuse_unlike(machines: Mapping[str, Machine]) -> None:
    """Refuse machines of one name that are not alike, because their records would be pooled."""
    first: dict[str, tuple[str, Machine]] = {}
    for who, machine in machines.items():
        other, known = first.setdefault(machine.name, (who, machine))
        unlike = [field for field in _KIND if getattr(machine, field) != getattr(known, field)]
        if unlike:
            raise UsageError(
                f"{who} and {other} are both named {machine.name} and differ in {', '.join(unlike)}: give one of "
                "them another name, as in BAKEOFF_MACHINE=name, where its worker is started"
            )
