"""The executor on this machine: blocks run one after the other or, where timing does not matter, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice

import msgspec

from harness.config import Config
from harness.execute.executor import Block, Ended, Limits, Receiver, Share, cores_for, share
from harness.execute.slots import Slot
from harness.measure.client import Server, ServerError
from harness.measure.job import why_not
from harness.measure.machine import fingerprint, memory_budget
from harness.measure.messages import Request, Response
from harness.plan.data import missing_data
from harness.records import Record, Trial
from harness.registry import Registry


class LocalExecutor:
    """Runs trials through fork servers: one for each topic and job, and one more for each memory pass."""

    def __init__(self, registry: Registry, config: Config, limits: Limits) -> None:
        self._config = config
        self._limits = limits
        self._obstacles = Obstacles(registry)
        self._jobs: list[Job] = []
        self._servers: list[tuple[str, bool]] = []
        self._stopping = False
        self._receiving = threading.Lock()

    @cached_property
    def machines(self) -> frozenset[str]:
        """The name of this machine."""
        return frozenset({fingerprint(self._config.machine or None).name})

    def prepare(self, trials: Sequence[Trial]) -> None:
        """Note the fork servers in the order in which they are needed; the first trial of each starts it."""
        topics = dict.fromkeys(trial.topic for trial in trials if not self._obstacles.reason(trial))
        passes = (False, True) if self._limits.memory_pass else (False,)
        self._servers = [(topic, quiet) for topic in topics for quiet in passes]

    def run(self, blocks: Iterable[Block], receive: Receiver, begin: Callable[[Trial], None] = lambda _: None) -> None:
        """Run blocks in order and hand over their records; an interruption ends all servers.

        With one job, a block is asked for when the records of those before it have been handed over.
        """
        waiting = _Waiting(blocks)
        jobs = self._limits.jobs
        with Slot() as slot:
            try:
                if jobs == 1:
                    self._work(waiting, partial(_part, slot, 0, 1), receive, begin)
                    return
                with ThreadPoolExecutor(jobs) as pool:
                    parts = [partial(_part, slot, job, jobs) for job in range(jobs)]
                    workers = [pool.submit(self._work, waiting, part, receive, begin) for part in parts]
                    try:
                        for worker in wait(workers, return_when=FIRST_EXCEPTION).done:
                            worker.result()
                    finally:
                        # The pool waits for its threads, and they for their servers: an interruption must reach these.
                        self.close()
            finally:
                self.close()

    def close(self) -> None:
        """End all servers."""
        self._stopping = True
        for job in self._jobs:
            job.close()

    def _work(
        self,
        waiting: _Waiting,
        part_for: Callable[[int], Share],
        receive: Receiver,
        begin: Callable[[Trial], None],
    ) -> None:
        """Run blocks until none is waiting: the work of one job, with its share of the cores for some threads."""
        job = Job(self._config, self._limits, self._obstacles, self._servers)
        self._jobs.append(job)
        while (block := waiting.take()) is not None:
            part = part_for(max(int(trial.params["threads"]) for trial in block.trials))
            for trial in block.trials:
                if self._stopping:
                    return
                begin(trial)
                response = job.measure(trial, part)
                with self._receiving:
                    # A trial that an interruption cut short did not fail; a resumed run repeats it.
                    if not self._stopping:
                        receive(Ended((response,)))


class _Waiting:
    """The blocks that are still to be run, for several threads."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = iter(blocks)
        self._taking = threading.Lock()

    def take(self) -> Block | None:
        with self._taking:
            return next(self._blocks, None)


def _part(slot: Slot, job: int, jobs: int, threads: int) -> Share:
    """Return the share of one of several jobs of this process, as others measure on the machine or not."""
    whole = slot.share(threads * jobs)
    return replace(share(whole.cores, job, jobs), others=whole.others)


class Obstacles:
    """Why trials cannot run on this machine, looked up once for each strategy and data set."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._reasons: dict[tuple[str, str, str, str], str] = {}
        self._remedies: dict[str, str] = {}

    def reason(self, trial: Trial) -> str:
        """Return why a trial cannot run here; empty if it can.

        Where its data are missing the reason is the command that gets them.
        """
        name = (trial.topic, trial.task, trial.strategy, trial.dataset)
        if name not in self._reasons:
            topic = self._registry.topics[trial.topic]
            strategy = topic.tasks[trial.task].strategies[trial.strategy]
            self._reasons[name] = self.missing(trial.dataset) or why_not(strategy, topic)
        return self._reasons[name]

    def missing(self, name: str) -> str:
        """Return the command that gets a data set; empty if it is here. Trials that need it are skipped."""
        if name not in self._remedies:
            self._remedies[name] = missing_data(self._registry.dataset(name))
        return self._remedies[name]


class Job:
    """Runs one trial after the other, each through the fork server of its topic; a server starts on first use.

    Parameters
    ----------
    order
        Topic and pass of the servers in the order in which they will be needed. While nothing else is measured on the
        machine, the next one starts with the one that is needed: both spend seconds importing, each on its own core.
    """

    def __init__(
        self, config: Config, limits: Limits, obstacles: Obstacles, order: Sequence[tuple[str, bool]] = ()
    ) -> None:
        self._config = config
        self._limits = limits
        self._memory_bytes = limits.memory_bytes or memory_budget()
        self._obstacles = obstacles
        self._order = order
        self._servers: dict[tuple[str, bool], Server] = {}

    def measure(self, trial: Trial, part: Share) -> Response:
        """Run a trial on its share of the machine; whatever happens to it becomes a record."""
        reason = self._obstacles.reason(trial)
        if reason:
            return Response(Record(trial, "skipped", reason))
        request = self._request(trial, part)
        alone = part.jobs == 1 and not part.others
        response = _ask(self._server(trial.topic, quiet=False, alone=alone), request)
        if self._limits.memory_pass and response.record.status == "ok":
            known = msgspec.structs.replace(request, choice=response.record.choice)
            _take_memory(response.record, _ask(self._server(trial.topic, quiet=True, alone=alone), known).record)
        return response

    def close(self) -> None:
        """End all servers, from any thread; a trial that runs then fails."""
        for server in list(self._servers.values()):
            server.close()

    def _server(self, topic: str, *, quiet: bool, alone: bool) -> Server:
        wanted = (topic, quiet)
        if wanted not in self._servers:
            later = (other for other in self._order if other not in self._servers and other != wanted)
            beside = list(islice(later, 1 if alone else 0))
            for one in (wanted, *beside):
                self._servers[one] = Server(one[0], self._config, quiet=one[1])
                self._servers[one].begin()
            for one in beside:
                with suppress(ServerError):  # it starts again for the first trial that needs it, whose record says why
                    self._servers[one].wait()
        return self._servers[wanted]

    def _request(self, trial: Trial, part: Share) -> Request:
        return Request(
            trial=trial,
            cores=cores_for(trial.block, int(trial.params["threads"]), part.cores),
            timeout_s=self._limits.timeout_s,
            memory_limit_bytes=self._memory_bytes // part.jobs,
            jobs=part.jobs + part.others,
            altered=f"{trial.topic}/{trial.task}" in self._limits.altered,
        )


def _ask(server: Server, request: Request) -> Response:
    try:
        return server.run(request)
    except ServerError as error:
        return Response(Record(request.trial, "failed", str(error), cores=request.cores))


def _take_memory(record: Record, quiet: Record) -> None:
    """Replace the memory figures of a record by those of the memory pass."""
    if quiet.status != "ok":
        record.reason = "; ".join(part for part in (record.reason, f"memory pass: {quiet.reason}") if part)
        return
    for name in quiet.phases.keys() & record.phases.keys():
        figures = quiet.phases[name]
        record.phases[name] = msgspec.structs.replace(
            record.phases[name],
            peak_bytes=figures.peak_bytes,
            held_bytes=figures.held_bytes,
            device_bytes=figures.device_bytes,
        )
    record.memory_source = quiet.memory_source
