"""A topic of strategies that fail in every way that a strategy can, beside some that do not."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any

import numpy as np

from harness import Dataset, Judgement, Metric, Param, Profile, Topic

topic = Topic("planted", title="Planted faults")


def _load(params: Any, rng: np.random.Generator) -> np.ndarray:
    return rng.random(int(params["rows"]))


def _judge(data: np.ndarray, output: Any) -> Judgement:
    if isinstance(output, dict):
        return Judgement(output)
    if np.shape(output) != np.shape(data):
        raise ValueError(f"expected shape {np.shape(data)}, got {np.shape(output)}")
    return Judgement({"error": float(np.abs(output - data).mean())})


task = topic.task(
    "faults",
    title="Return the data",
    datasets=[Dataset("numbers", _load, params={"rows": Param(1000, low=1, high=10**9)})],
    phases=["fit", "predict"],
    metrics=[Metric("error", direction="lower", unit="1")],
    judge=_judge,
    params={"rows": Param(1000, low=1)},
    quick=Profile(blocks=2),
    full=Profile(blocks=3, sweeps=True),
    sweep={"rows": [10, 100]},
)


@task.strategy("copy", sweep={"extra": [1, 2]})
def copy(problem: Any, phase: Any, extra: int = 0) -> Any:
    """Return a copy."""
    with phase("fit"):
        output = problem.data.copy() + extra
    for _ in phase("predict"):
        output = output * 1.0
    return output


@task.strategy("raises")
def raises(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        raise RuntimeError("planted\nsecond line")


@task.strategy("sys-exit")
def sys_exit(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        sys.exit(3)


@task.strategy("os-exit")
def os_exit(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        os._exit(0)


@task.strategy("segfault")
def segfault(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        ctypes.string_at(0)


@task.strategy("endless")
def endless(problem: Any, phase: Any) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with phase("fit"):
        while True:
            pass


@task.strategy("hog")
def hog(problem: Any, phase: Any) -> Any:
    kept = []
    with phase("fit"):
        while True:
            kept.append(np.ones(1_000_000))


@task.strategy("memory-error")
def memory_error(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        raise MemoryError


@task.strategy("nan-metric")
def nan_metric(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        return {"error": float("nan")}


@task.strategy("missing-metric")
def missing_metric(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        return {"other": 1.0}


@task.strategy("wrong-shape")
def wrong_shape(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        return problem.data[:-1]


@task.strategy("wrong-phase")
def wrong_phase(problem: Any, phase: Any) -> Any:
    with phase("fitt"):
        return problem.data


@task.strategy("no-phase")
def no_phase(problem: Any, phase: Any) -> Any:
    return problem.data


@task.strategy("prints")
def prints(problem: Any, phase: Any) -> Any:
    print("the first line")
    with phase("fit"):
        for _ in range(100):
            print("x" * 999_999)
    print("the last line")
    return problem.data


@task.strategy("leaves-process")
def leaves_process(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        os.wait()
    return problem.data


@task.strategy("leaves-thread")
def leaves_thread(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        threading.Thread(target=time.sleep, args=(600,)).start()
    return problem.data


@task.strategy("closes-stdout")
def closes_stdout(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        sys.stdout.close()
        os.close(1)
    return problem.data


@task.strategy("closes-everything")
def closes_everything(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        os.closerange(3, 1024)
    return problem.data


@task.strategy("writes-on-data")
def writes_on_data(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        problem.data[:] = 0
    return problem.data


@task.strategy("hangs-at-exit")
def hangs_at_exit(problem: Any, phase: Any) -> Any:
    import atexit

    atexit.register(time.sleep, 600)
    with phase("fit"):
        return problem.data


@task.strategy("needs-package", needs="no_such_package")
def needs_package(problem: Any, phase: Any) -> Any:
    return None


@task.strategy("needs-gpu", device="cuda")
def needs_gpu(problem: Any, phase: Any) -> Any:
    return None


@task.strategy("grows")
def grows(problem: Any, phase: Any) -> Any:
    """Touch 64 MB for a moment."""
    with phase("fit"):
        np.ones(8_000_000)
    return problem.data


@task.strategy("child")
def child(problem: Any, phase: Any) -> Any:
    """Burn 0.3 s of CPU and touch 64 MB in a child process."""
    with phase("fit"):
        pid = os.fork()
        if pid == 0:
            kept = np.ones(8_000_000)
            start = time.process_time()
            while time.process_time() - start < 0.3:
                kept[0] += 1
            time.sleep(0.5)  # children are looked at every tenth of a second, later on a busy machine
            os._exit(0)
        os.waitpid(pid, 0)
    return problem.data


@task.strategy("shared-memory")
def shared_memory(problem: Any, phase: Any) -> Any:
    """Hold 64 MB in a file of memory that it never maps."""
    file = os.memfd_create("planted")
    with phase("fit"):
        for _ in range(64):
            os.write(file, bytes(1_000_000))
    return problem.data


@task.strategy("child-for-a-moment")
def child_for_a_moment(problem: Any, phase: Any) -> Any:
    """Touch 64 MB in a child process that ends at once."""
    with phase("fit"):
        pid = os.fork()
        if pid == 0:
            np.ones(8_000_000)
            os._exit(0)
        os.waitpid(pid, 0)
    return problem.data
