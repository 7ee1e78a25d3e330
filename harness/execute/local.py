"""Runs trials on this machine, one after the other or, where timing does not matter, several at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import msgspec

from harness.config import Config
from harness.measure.client import Server, ServerError
from harness.measure.machine import usable_cores
from harness.measure.messages import Request, Response
from harness.measure.needs import why_not
from harness.records import Record, Trial
from harness.registry import Registry


def cores_for(block: int, threads: int, cores: Sequence[int]) -> list[int]:
    """Return the cores of a block's trials.

    The cores are cut into groups of `threads`; blocks take the groups in turn. A trial that asks for more threads than
    there are cores gets all of them.
    """
    if len(cores) <= threads:
        return list(cores)
    groups = len(cores) // threads
    start = (block % groups) * threads
    return list(cores[start : start + threads])


#: Called with each record and its long text as soon as the trial has ended; never by two threads at once.
Receiver = Callable[[Record, str], None]


@dataclass(frozen=True)
class Limits:
    """Limits of every trial, and how they run."""

    timeout_s: float
    memory_bytes: int
    memory_pass: bool = False
    jobs: int = 1


class LocalExecutor:
    """Runs trials through fork servers, one a topic and job."""

    def __init__(self, registry: Registry, config: Config, limits: Limits) -> None:
        self._registry = registry
        self._config = config
        self._limits = limits
        self._servers: list[Server] = []
        self._reasons: dict[tuple[str, str, str], str] = {}
        self._stopping = False
        self._receiving = threading.Lock()

    def run(self, trials: Iterable[Trial], receive: Receiver, begin: Callable[[Trial], None] = lambda _: None) -> None:
        """Run trials in order and hand over their records; an interruption ends all servers."""
        waiting: queue.SimpleQueue[Trial] = queue.SimpleQueue()
        for trial in trials:
            waiting.put(trial)
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
        waiting: queue.SimpleQueue[Trial],
        cores: Sequence[int],
        receive: Receiver,
        begin: Callable[[Trial], None],
    ) -> None:
        servers: dict[tuple[str, bool], Server] = {}

        def server(topic: str, *, quiet: bool) -> Server:
            if (topic, quiet) not in servers:
                servers[topic, quiet] = Server(topic, self._config, quiet=quiet)
                self._servers.append(servers[topic, quiet])
            return servers[topic, quiet]

        while not self._stopping:
            try:
                trial = waiting.get_nowait()
            except queue.Empty:
                return
            begin(trial)
            reason = self._why_not(trial)
            if reason:
                response = Response(Record(trial, "skipped", reason))
            else:
                request = self._request(trial, cores)
                response = _ask(server(trial.topic, quiet=False), request)
                if self._limits.memory_pass and response.record.status == "ok":
                    _take_memory(response.record, _ask(server(trial.topic, quiet=True), request).record)
            with self._receiving:
                # A trial cut short by an interruption is not a failed trial; resuming runs it again.
                if not self._stopping:
                    receive(response.record, response.text)

    def _why_not(self, trial: Trial) -> str:
        name = (trial.topic, trial.task, trial.strategy)
        if name not in self._reasons:
            topic = self._registry.topics[trial.topic]
            self._reasons[name] = why_not(topic.tasks[trial.task].strategies[trial.strategy], topic)
        return self._reasons[name]

    def _request(self, trial: Trial, cores: Sequence[int]) -> Request:
        return Request(
            trial=trial,
            cores=cores_for(trial.block, int(trial.params["threads"]), cores),
            timeout_s=self._limits.timeout_s,
            memory_limit_bytes=self._limits.memory_bytes // self._limits.jobs,
            jobs=self._limits.jobs,
        )


def _ask(server: Server, request: Request) -> Response:
    try:
        return server.run(request)
    except ServerError as error:
        return Response(Record(request.trial, "failed", str(error), cores=request.cores))


def _take_memory(record: Record, quiet: Record) -> None:
    """Put the memory figures of the quiet pass in place of those of the timed one."""
    if quiet.status != "ok":
        record.reason = "; ".join(part for part in (record.reason, f"memory pass: {quiet.reason}") if part)
        return
    for name, figures in quiet.phases.items():
        record.phases[name] = msgspec.structs.replace(
            record.phases[name],
            peak_bytes=figures.peak_bytes,
            held_bytes=figures.held_bytes,
            device_bytes=figures.device_bytes,
        )
    record.memory_source = quiet.memory_source
