from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from harness.errors import UsageError
from harness.measure import opencl
from harness.measure.device import Cpu, Cuda, OpenCl, device_names, missing, open_device, opencl_names


class FakeTorchCuda:
    """torch.cuda with an allocator that is driven by hand."""

    def __init__(self, *, initialised: bool = True) -> None:
        self.initialised, self.allocated, self.peak, self.synchronised = initialised, 0, 0, 0

    def is_initialized(self) -> bool:
        return self.initialised

    def synchronize(self) -> None:
        self.initialised = True
        self.synchronised += 1

    def reset_peak_memory_stats(self) -> None:
        self.initialised = True
        self.peak = self.allocated

    def max_memory_allocated(self) -> int:
        self.initialised = True
        return self.peak

    def grow(self, size: int) -> None:
        self.allocated += size
        self.peak = max(self.peak, self.allocated)


class FakeNvml(ModuleType):
    class NVMLError(Exception):
        pass

    def __init__(self, processes: list[list[tuple[int, int | None]]], *, driver: bool = True) -> None:
        super().__init__("pynvml")
        self.processes, self.driver, self.opened = processes, driver, 0

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise self.NVMLError("driver not loaded")
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.processes)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return f"GPU {handle}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes[handle]]


@pytest.fixture(autouse=True)
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither NVML nor torch, whatever this machine has."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def plant_nvml(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml) -> FakeNvml:
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


def plant_torch(monkeypatch: pytest.MonkeyPatch, cuda: FakeTorchCuda) -> FakeTorchCuda:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    return cuda


def test_cpu_has_no_memory_of_its_own() -> None:
    device = open_device("cpu")
    device.synchronize()
    device.reset_peak()
    assert isinstance(device, Cpu)
    assert device.peak_bytes() is None
    assert missing("cpu") == ""


def test_an_unknown_device_is_refused_with_a_hint() -> None:
    for function in (open_device, missing):
        with pytest.raises(UsageError, match="did you mean cuda"):
            function("cudda")


def test_torch_gives_the_peak_above_the_phases_start(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = plant_torch(monkeypatch, FakeTorchCuda())
    cuda.grow(900)
    cuda.grow(-800)
    device = open_device("cuda")
    device.reset_peak()
    cuda.grow(50)
    cuda.grow(-40)
    assert device.peak_bytes() == 50
    device.synchronize()
    assert cuda.synchronised == 1


def test_torch_that_does_not_use_cuda_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = plant_torch(monkeypatch, FakeTorchCuda(initialised=False))
    device = open_device("cuda")
    device.synchronize()
    device.reset_peak()
    assert device.peak_bytes() is None
    assert not cuda.initialised


def test_torch_that_starts_to_use_cuda_within_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = plant_torch(monkeypatch, FakeTorchCuda(initialised=False))
    device = open_device("cuda")
    device.reset_peak()
    cuda.initialised = True
    cuda.grow(70)
    assert device.peak_bytes() == 70


def test_nvml_gives_the_growth_of_this_process_over_all_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = plant_nvml(monkeypatch, FakeNvml([[(1, 5000)], []]))
    device = Cuda()
    device.reset_peak()
    nvml.processes = [[(1, 9000), (os.getpid(), 100)], [(os.getpid(), 20)]]
    assert device.peak_bytes() == 120
    device.reset_peak()
    nvml.processes[0][1] = (os.getpid(), 150)
    assert device.peak_bytes() == 50
    nvml.processes[0][1] = (os.getpid(), 10)
    assert device.peak_bytes() == 0
    assert nvml.opened == 0


@pytest.mark.parametrize("processes", [[[(1, 7)]], [[(os.getpid(), None)]]], ids=["other number", "no figure"])
def test_memory_that_nvml_does_not_show_is_no_zero(
    processes: list[list[tuple[int, int | None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_nvml(monkeypatch, FakeNvml(processes))
    device = Cuda()
    device.reset_peak()
    assert device.peak_bytes() is None


def test_nvml_without_a_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant_nvml(monkeypatch, FakeNvml([], driver=False))
    assert Cuda().peak_bytes() is None
    assert device_names() == []
    assert missing("cuda", root=tmp_path) == "no CUDA device"


def test_nvml_names_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nvml(monkeypatch, FakeNvml([[], []]))
    assert device_names() == ["GPU 0", "GPU 1"]
    assert missing("cuda") == ""


@pytest.mark.parametrize("value", ["", "-1"])
def test_hidden_devices_are_missing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nvml(monkeypatch, FakeNvml([[]]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert "CUDA_VISIBLE_DEVICES" in missing("cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert missing("cuda") == ""


@pytest.mark.parametrize("count", [0, 2])
def test_torch_is_asked_in_another_process(count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(
        f"class cuda:\n"
        f"    device_count = staticmethod(lambda: {count})\n"
        f"    get_device_name = staticmethod(lambda index: f'Torch GPU {{index}}')\n"
    )
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("ctypes.CDLL", lambda name: name)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert device_names() == ["Torch GPU 0", "Torch GPU 1"][:count]
    assert "torch" not in sys.modules


def test_torch_is_not_asked_without_the_drivers_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("ctypes.CDLL", no_library)
    monkeypatch.setattr("subprocess.run", lambda *_arguments, **_options: pytest.fail("torch takes seconds"))
    assert device_names() == []


def test_a_torch_that_cannot_be_imported_finds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcuda')\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("ctypes.CDLL", lambda name: name)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert device_names() == []


def test_the_drivers_files_name_the_devices(tmp_path: Path) -> None:
    assert device_names(tmp_path) == []
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    assert device_names(tmp_path) == ["NVIDIA"]
    folder = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 17\n")
    assert device_names(tmp_path) == ["NVIDIA H100 80GB HBM3"]
    assert missing("cuda", root=tmp_path) == ""


def plant_opencl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> None:
    """Put a script in place of the one that asks OpenCL's library, which is there."""
    script = tmp_path / "opencl.py"
    script.write_text(source)
    monkeypatch.setattr("ctypes.CDLL", lambda name: name)
    monkeypatch.setattr(opencl, "__file__", str(script))


def test_opencl_names_its_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant_opencl(monkeypatch, tmp_path, "print('gfx906', 'pthread-skylake', sep='\\n')")
    assert opencl_names() == ["gfx906", "pthread-skylake"]
    assert missing("opencl") == ""


@pytest.mark.parametrize("source", ["", "import os; os.abort()"], ids=["no device", "a driver that crashes"])
def test_opencl_without_a_device(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant_opencl(monkeypatch, tmp_path, source)
    assert opencl_names() == []
    assert "pocl-opencl-icd" in missing("opencl")


def test_no_process_is_started_without_opencls_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", no_library)
    monkeypatch.setattr("subprocess.run", lambda *_arguments, **_options: pytest.fail("that takes time"))
    assert "ocl-icd-libopencl1" in missing("opencl")


def test_opencl_has_no_figure_of_its_memory() -> None:
    device = open_device("opencl")
    device.synchronize()
    device.reset_peak()
    assert isinstance(device, OpenCl)
    assert device.peak_bytes() is None


class FakeOpenCl:
    """OpenCL's library with platforms, by their handle, and the names of their devices."""

    NOT_FOUND = -1

    def __init__(self, platforms: dict[int, list[str]]) -> None:
        self.platforms = platforms
        self.names = {
            100 * platform + at: name for platform in platforms for at, name in enumerate(platforms[platform])
        }

    def clGetPlatformIDs(self, _size: Any, handles: Any, count: Any) -> int:  # noqa: N802
        return self._give(list(self.platforms), handles, count)

    def clGetDeviceIDs(self, platform: Any, kinds: Any, _size: Any, handles: Any, count: Any) -> int:  # noqa: N802
        assert kinds.value == 0xFFFFFFFF
        first = 100 * platform.value
        return self._give(list(range(first, first + len(self.platforms[platform.value]))), handles, count)

    def clGetDeviceInfo(self, device: Any, what: int, size: Any, name: Any, _used: Any) -> None:  # noqa: N802
        assert (what, size.value) == (0x102B, len(name))
        name.value = self.names[device.value].encode()

    def _give(self, found: list[int], handles: Any, count: Any) -> int:
        if count is not None:
            count._obj.value = len(found)
        if handles is not None:
            handles[:] = found
        return 0 if found else self.NOT_FOUND


@pytest.mark.parametrize(
    ("platforms", "names"),
    [({}, []), ({1: []}, []), ({1: [], 2: ["gfx906", "gfx90a "], 3: ["CPU"]}, ["gfx906", "gfx90a", "CPU"])],
    ids=["no platform", "a platform without a device", "three platforms"],
)
def test_all_platforms_are_asked(
    platforms: dict[int, list[str]],
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: FakeOpenCl(platforms))
    opencl.main()
    assert capsys.readouterr().out.splitlines() == names
