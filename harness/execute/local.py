"""The executor on this machine: blocks run one after the other or, where timing does not matter, several at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import msgspec

from harness.config import Config
from harness.execute.executor import Block, Limits, Receiver, cores_for
from harness.measure.client import Server, ServerError
from harness.measure.job import why_not
from harness.measure.machine import usable_cores
from harness.measure.messages import Request, Response
from harness.plan.data import missing_data
from harness.records import Record, Trial
from harness.registry import Registry


class LocalExecutor:
    """Runs trials through fork servers: one for each topic and job, and one more for each memory pass."""

    def __init__(self, registry: Registry, config: Config, limits: Limits) -> None:
        self._registry = registry
        self._config = config
        self._limits = limits
        self._servers: list[Server] = []
        self._reasons: dict[tuple[str, str, str, str], str] = {}
        self._remedies: dict[str, str] = {}
        self._stopping = False
        self._receiving = threading.Lock()

    def run(self, blocks: Iterable[Block], receive: Receiver, begin: Callable[[Trial], None] = lambda _: None) -> None:
        """Run blocks in order and hand over their records; an interruption ends all servers."""
        waiting: queue.SimpleQueue[Block] = queue.SimpleQueue()
        for block in blocks:
            waiting.put(block)
        cores, jobs = usable_cores(), self._limits.jobs
        try:
            if jobs == 1:
                self._work(waiting, cores, receive, begin)
                return
            with ThreadPoolExecutor(jobs) as pool:
                shares = [cores[job::jobs] or cores for job in range(jobs)]
                workers = [pool.submit(self._work, waiting, share, receive, begin) for share in shares]
                try:
                    for worker in wait(workers, return_when=FIRST_EXCEPTION).done:
                        worker.result()
                finally:
                    # The pool waits for its threads, and they for their servers: an interruption must reach these.
                    self._close()
        finally:
            self._close()

    def _close(self) -> None:
        self._stopping = True
        for server in self._servers:
            server.close()

    def _work(
        self,
        waiting: queue.SimpleQueue[Block],
        cores: Sequence[int],
        receive: Receiver,
        begin: Callable[[Trial], None],
    ) -> None:
        """Run blocks until none is waiting: the work of one job, with its share of the cores."""
        servers = _JobServers(self._config, self._servers)
        while True:
            try:
                block = waiting.get_nowait()
            except queue.Empty:
                return
            for trial in block.trials:
                if self._stopping:
                    return
                begin(trial)
                response = self._measure(trial, cores, servers)
                with self._receiving:
                    # A trial that an interruption cut short did not fail; a resumed run repeats it.
                    if not self._stopping:
                        receive(response.record, response.text)

    def _measure(self, trial: Trial, cores: Sequence[int], servers: _JobServers) -> Response:
        reason = self._why_not(trial)
        if reason:
            return Response(Record(trial, "skipped", reason))
        request = self._request(trial, cores)
        response = _ask(servers.get(trial.topic, quiet=False), request)
        if self._limits.memory_pass and response.record.status == "ok":
            known = msgspec.structs.replace(request, choice=response.record.choice)
            _take_memory(response.record, _ask(servers.get(trial.topic, quiet=True), known).record)
        return response

    def _why_not(self, trial: Trial) -> str:
        name = (trial.topic, trial.task, trial.strategy, trial.dataset)
        if name not in self._reasons:
            topic = self._registry.topics[trial.topic]
            strategy = topic.tasks[trial.task].strategies[trial.strategy]
            missing = self._missing(trial.dataset)
            self._reasons[name] = missing or why_not(strategy, topic)
        return self._reasons[name]

    def _missing(self, name: str) -> str:
        """Return the command that gets a data set; empty if it is here. Trials that need it are skipped."""
        if name not in self._remedies:
            self._remedies[name] = missing_data(self._registry.dataset(name))
        return self._remedies[name]

    def _request(self, trial: Trial, cores: Sequence[int]) -> Request:
        return Request(
            trial=trial,
            cores=cores_for(trial.block, int(trial.params["threads"]), cores),
            timeout_s=self._limits.timeout_s,
            memory_limit_bytes=self._limits.memory_bytes // self._limits.jobs,
            jobs=self._limits.jobs,
            altered=f"{trial.topic}/{trial.task}" in self._limits.altered,
        )


class _JobServers:
    """The fork servers of one job, each started when a trial first needs it."""

    def __init__(self, config: Config, started: list[Server]) -> None:
        self._config = config
        self._started = started
        self._servers: dict[tuple[str, bool], Server] = {}

    def get(self, topic: str, *, quiet: bool) -> Server:
        if (topic, quiet) not in self._servers:
            self._servers[topic, quiet] = Server(topic, self._config, quiet=quiet)
            self._started.append(self._servers[topic, quiet])
        return self._servers[topic, quiet]


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
