"""The fork server of a topic: imports its libraries once, then forks a fresh worker for every trial.

Run as ``python -P -m harness.measure.server TOPIC CONFIG [quiet]``; requests come on standard input, responses go to
standard output.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import psutil
from threadpoolctl import ThreadpoolController

from harness.config import decode_config
from harness.declare import Topic
from harness.measure import memory
from harness.measure.conditions import snapshot
from harness.measure.job import Job, import_installed
from harness.measure.messages import Ready, Request, Response, take_standard_streams, write_line
from harness.measure.releases import Releases, can_wait
from harness.measure.supervise import Supervisor, response
from harness.measure.worker import work
from harness.registry import Registry, load_registry

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans of a worker become this server's children, so that none escapes


def main() -> None:
    """Serve trials until standard input closes."""
    topic_name, config, *flags = sys.argv[1:]
    quiet = "quiet" in flags
    if quiet:
        memory.quieten()
    requests, responses = take_standard_streams()
    registry = load_registry(decode_config(config))
    _import_libraries(registry, registry.topics[topic_name])
    server = _Server(registry, ThreadpoolController(), quiet=quiet)
    # Collections in a worker then skip everything that was imported, and do not copy its pages.
    gc.collect()
    gc.freeze()
    write_line(responses, Ready(psutil.Process().num_threads()))
    decode = msgspec.json.Decoder(Request).decode
    with os.fdopen(requests, "rb", buffering=0, closefd=False) as lines:
        for line in lines:
            answer = partial(server.answer, decode(line), requests, responses)
            if quiet:
                # What serving leaves on the heap depends on how long it took, and the next worker would grow into it.
                _in_child(answer)
            else:
                answer()


class _Server:
    def __init__(self, registry: Registry, controller: ThreadpoolController, *, quiet: bool) -> None:
        self._registry = registry
        self._controller = controller
        self._quiet = quiet
        self._all_cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def answer(self, request: Request, requests: int, responses: int) -> None:
        """Have the trial run, and send what came of it."""
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        write_line(responses, self._serve(request, requests, responses))

    def _serve(self, request: Request, requests: int, responses: int) -> Response:
        """Fork a worker for the trial and watch it to its end."""
        releases = Releases() if self._quiet and can_wait() else None
        job = Job.of(request.trial, self._registry, request.cores, request.choice)
        self._step_aside(job.cores)
        output, output_end = os.pipe()
        events, events_end = os.pipe()
        started = datetime.now(UTC)
        before = snapshot(job.cores)
        pid = os.fork()
        if pid == 0:
            for descriptor in (requests, responses, output, events):
                os.close(descriptor)
            _redirect(output_end)
            work(job, self._controller, events_end, quiet=self._quiet, altered=request.altered, releases=releases)
        os.close(output_end)
        os.close(events_end)
        try:
            listener = releases.accept(pid) if releases else None
            watch = Supervisor(pid, output, events, requests, listener).watch
            seen = watch(request.timeout_s, request.memory_limit_bytes)
        finally:
            os.close(output)
            os.close(events)
        if seen.orphaned:
            sys.exit()
        return response(request, seen, started, before, snapshot(job.cores))

    def _step_aside(self, cores: list[int]) -> None:
        others = [core for core in self._all_cores if core not in cores]
        if self._all_cores:
            os.sched_setaffinity(0, others or self._all_cores)


def _in_child(act: Callable[[], None]) -> None:
    """Have a fork of this process do something, and wait for it."""
    pid = os.fork()
    if pid:
        if os.waitpid(pid, 0)[1]:
            sys.exit(1)
        return
    try:
        act()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _redirect(output: int) -> None:
    """Give a worker a session of its own, nothing to read, and one pipe for all that it prints."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    faulthandler.enable()


def _import_libraries(registry: Registry, topic: Topic) -> None:
    needs = (registry.needs(task, task.strategies.values()) for task in topic.tasks.values())
    import_installed(set().union(*needs))


if __name__ == "__main__":
    main()
