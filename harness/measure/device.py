"""The device that a phase runs on: waiting for it, its peak memory, and whether it is there.

Nothing here initialises CUDA or OpenCL: a process that has done so can no longer fork children that use it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.errors import UsageError, did_you_mean
from harness.measure import opencl

_ROOT = Path("/")
_KNOWN = ("cpu", "cuda", "opencl")
_NO_OPENCL = (
    "no OpenCL device: install one's driver, or Debian's packages ocl-icd-libopencl1 and pocl-opencl-icd for the CPU"
)
_ASK_TORCH = "import torch; print(*map(torch.cuda.get_device_name, range(torch.cuda.device_count())), sep='\\n')"


class Device(Protocol):
    """What the phase clock asks of a device."""

    def synchronize(self) -> None:
        """Wait until the device has finished its work, so that the clock reads all of it."""

    def reset_peak(self) -> None:
        """Start a phase: forget the peak so far and note the memory in use."""

    def peak_bytes(self) -> int | None:
        """Return the peak of device memory above the phase's start; ``None`` where it cannot be read."""


class Cpu:
    """The CPU: its work is done when a call returns, and it has no memory of its own."""

    def synchronize(self) -> None:
        """Do nothing."""

    def reset_peak(self) -> None:
        """Do nothing."""

    def peak_bytes(self) -> int | None:
        """Return ``None``."""
        return None


class Cuda:
    """The current CUDA device of this process.

    Where torch has CUDA in use, its allocator gives the true peak. Otherwise NVML gives the memory of this process at
    the phase's end less that at its start: what was freed before the end is not seen, and the first use of CUDA adds
    the context (some hundred MiB). Libraries other than torch are taken to return when their work is done.
    """

    def __init__(self) -> None:
        self._allocated = 0
        self._used = 0

    def synchronize(self) -> None:
        """Wait for torch's kernels."""
        if (torch := _torch_in_use()) is not None:
            torch.cuda.synchronize()

    def reset_peak(self) -> None:
        """Note the memory in use now, by torch's allocator or by NVML."""
        self._allocated = self._used = 0
        if (torch := _torch_in_use()) is None:
            self._used = _nvml_used(os.getpid()) or 0
        else:
            torch.cuda.reset_peak_memory_stats()
            self._allocated = int(torch.cuda.max_memory_allocated())

    def peak_bytes(self) -> int | None:
        """Return the peak above the last reset in bytes; ``None`` without torch and NVML."""
        if (torch := _torch_in_use()) is not None:
            return max(0, int(torch.cuda.max_memory_allocated()) - self._allocated)
        used = _nvml_used(os.getpid())
        return None if used is None else max(0, used - self._used)


class OpenCl(Cpu):
    """An OpenCL device: libraries return when its work is done, and OpenCL does not say how much memory is in use."""


def open_device(name: str) -> Device:
    """Return the device of that name, for use in the process that runs the trial.

    Raises
    ------
    UsageError
        When there is no such kind of device.
    """
    _check(name)
    if name == "cuda":
        return Cuda()
    return Cpu() if name == "cpu" else OpenCl()


def missing(name: str, *, root: Path = _ROOT) -> str:
    """Return why a device cannot be used; an empty string when it can.

    Raises
    ------
    UsageError
        When there is no such kind of device.
    """
    _check(name)
    if name == "cpu":
        return ""
    if name == "opencl":
        return "" if opencl_names() else _NO_OPENCL
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every CUDA device"
    return "" if device_names(root) else "no CUDA device"


def device_names(root: Path = _ROOT) -> list[str]:
    """List the CUDA devices by name.

    Asks NVML when it is installed, else torch when that is installed and the driver's library is there (in another
    process, which takes seconds, because asking initialises CUDA), else looks for NVIDIA's driver.
    """
    names = _nvml_names()
    if names is None:
        names = _torch_names()
    return _driver_names(root) if names is None else names


def opencl_names() -> list[str]:
    """List the OpenCL devices by name.

    Asks OpenCL's library when it is installed: in another process, which takes a tenth of a second.
    """
    return _asked([str(opencl.__file__)]) if _installed(opencl.LIBRARY) else []


def _check(name: str) -> None:
    if name not in _KNOWN:
        raise UsageError(f"no device is called {name!r}{did_you_mean(name, _KNOWN)}")


def _torch_in_use() -> Any | None:
    """Return torch when it has initialised CUDA in this process; a call before that would initialise it."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


def _nvml_names() -> list[str] | None:
    """Return the names that NVML gives; ``None`` when it is not installed, none when there is no driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    finally:
        pynvml.nvmlShutdown()


def _nvml_used(pid: int) -> int | None:
    """Return the device memory of a process in bytes.

    ``None`` when NVML is absent or does not list the process: it uses no device, or NVML sees it under another number
    (a container with its own process numbers).
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except ImportError:
        return None
    except pynvml.NVMLError:
        return None
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        running = [entry for handle in handles for entry in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
    used = [int(entry.usedGpuMemory) for entry in running if entry.pid == pid and entry.usedGpuMemory is not None]
    return sum(used) if used else None


def _torch_names() -> list[str] | None:
    if importlib.util.find_spec("torch") is None:
        return None
    # Without the driver's library there is nothing to wait for torch for.
    return _asked(["-c", _ASK_TORCH]) if _installed("libcuda.so.1") else []


def _installed(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _asked(program: Sequence[str]) -> list[str]:
    """Return the lines that a program of Python prints in a process of its own; none where it fails."""
    try:
        asked = subprocess.run([sys.executable, "-P", *program], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return asked.stdout.split("\n")[:-1] if asked.stdout.strip() else []


def _driver_names(root: Path) -> list[str]:
    """Read the names from the driver's files; a device node alone gives no name but says that there is one."""
    names = []
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        model = [line.partition(":")[2].strip() for line in path.read_text().splitlines() if line.startswith("Model:")]
        names += model or ["NVIDIA"]
    return names or (["NVIDIA"] if (root / "dev/nvidia0").exists() else [])
