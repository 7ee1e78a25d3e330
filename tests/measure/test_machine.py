from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from harness.errors import UsageError
from harness.measure import device, machine
from harness.measure.machine import Machine, environment, fingerprint, memory_budget, why_no_commit

MIB = 2**20


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture(autouse=True)
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "device_names", lambda root: ["NVIDIA H100"])


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("AMD EPYC", "amd-epyc-2c-24g"),
        ("AMD EPYC 7763 64-Core Processor", "amd-epyc-7763-2c-24g"),
        ("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", "intel-xeon-platinum-8375c-2c-24g"),
        ("AMD Ryzen 7 5800H with Radeon Graphics", "amd-ryzen-7-5800h-2c-24g"),
        ("Apple M2 Pro", "apple-m2-pro-2c-24g"),
    ],
)
def test_name_is_made_of_the_cpu_model_the_usable_cores_and_the_memory(
    cpu: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: [4, 7])
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=24_684_096 * 1024))
    seen = fingerprint(root=plant(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nmodel name\t: {cpu}\n"}))
    assert (seen.name, seen.cpu, seen.cores) == (expected, cpu, 2)


def test_arm_is_named_by_its_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    text = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"
    assert fingerprint(root=plant(tmp_path, {"proc/cpuinfo": text})).cpu == "aarch64 0x41 0xd40"


def test_a_given_name_is_kept_and_must_name_a_folder() -> None:
    assert fingerprint("lab-2c").name == "lab-2c"
    for bad in ("", "../up", "Lab", "a b", "-x"):
        with pytest.raises(UsageError, match="cannot name a folder"):
            fingerprint(bad)


def test_fields_are_read_from_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: [0, 1])
    cpufreq = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor"
    files = {
        "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor sse\n\nprocessor\t: 1\nflags\t: fpu\n",
        "sys/devices/system/cpu/smt/active": "1\n",
        cpufreq.format(0): "powersave\n",
        cpufreq.format(1): "performance\n",
    }
    seen = fingerprint(root=plant(tmp_path, files))
    assert seen.virtual is True
    assert seen.smt is True
    assert seen.governor == "performance, powersave"
    assert seen.devices == ["NVIDIA H100"]


def test_everything_is_empty_without_proc_and_sys(tmp_path: Path) -> None:
    seen = fingerprint(root=tmp_path)
    assert (seen.governor, seen.smt, seen.virtual, seen.memory_limit_bytes, seen.cpu_quota) == (
        "",
        None,
        None,
        None,
        None,
    )
    assert seen.cores == len(os.sched_getaffinity(0))
    assert seen.name


def test_control_group_v2_limits_of_ancestors_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: [0, 1, 2, 3])
    files = {
        "proc/self/cgroup": "0::/outer/inner\n",
        "sys/fs/cgroup/outer/memory.max": f"{64 * MIB}\n",
        "sys/fs/cgroup/outer/memory.current": f"{40 * MIB}\n",
        "sys/fs/cgroup/outer/memory.stat": f"anon 5\ninactive_file {16 * MIB}\n",
        "sys/fs/cgroup/outer/inner/memory.max": "max\n",
        "sys/fs/cgroup/outer/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
    }
    seen = fingerprint(root=plant(tmp_path, files))
    assert seen.memory_limit_bytes == 64 * MIB
    assert seen.cpu_quota == 1.5
    assert seen.cores == 1
    assert memory_budget(tmp_path) == (64 - 40 + 16) * MIB * 4 // 5


def test_control_group_v1(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "9:name=systemd:/\n4:memory:/job/7\n2:cpu,cpuacct:/\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/job/7/memory.limit_in_bytes": f"{100 * MIB}\n",
        "sys/fs/cgroup/memory/job/7/memory.usage_in_bytes": f"{90 * MIB}\n",
        "sys/fs/cgroup/memory/job/7/memory.stat": f"inactive_file 1\ntotal_inactive_file {40 * MIB}\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    seen = fingerprint(root=plant(tmp_path, files))
    assert (seen.memory_limit_bytes, seen.cpu_quota, seen.cores) == (100 * MIB, 0.5, 1)
    assert memory_budget(tmp_path) == 50 * MIB * 4 // 5


def test_an_unlimited_control_group_is_no_limit(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/\n1:cpu:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    seen = fingerprint(root=plant(tmp_path, files))
    assert (seen.memory_limit_bytes, seen.cpu_quota) == (None, None)
    assert 0 < memory_budget(tmp_path) <= seen.memory_bytes * 4 // 5


def test_an_exhausted_control_group_leaves_no_budget(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": f"{MIB}\n",
        "sys/fs/cgroup/memory.current": f"{2 * MIB}\n",
    }
    assert memory_budget(plant(tmp_path, files)) == 0


def test_json_of_other_versions_is_read() -> None:
    seen = fingerprint()
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Machine) == seen
    assert msgspec.json.decode(b'{"name": "old", "invented_later": [1]}', type=Machine) == Machine("old")


def test_versions_of_distributions_and_modules(tmp_path: Path) -> None:
    packages = environment(tmp_path, ["sklearn", "hypothesis", "no-such-package"]).packages
    assert packages["numpy"] == np.__version__
    assert packages["scikit-learn"] == metadata.version("scikit-learn")
    assert packages["hypothesis"] == metadata.version("hypothesis")
    assert "no-such-package" not in packages


def test_own_dependencies_without_the_developers_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    required = ["numpy>=2.0", 'hypothesis>=6; extra == "dev"', "xgboost>=3.0; extra == 'boosting'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: required)
    assert set(environment(tmp_path).packages) == {"numpy", "xgboost"}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_commit_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init")
    plant(tmp_path, {"code.py": "1\n"})
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    # What a hook of another repository sets must not lead astray.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    plant(tmp_path, {"results/new.jsonl": "{}"})
    seen = environment(tmp_path)
    assert (seen.commit, seen.dirty) == (commit, False)
    plant(tmp_path, {"code.py": "2\n"})
    assert environment(tmp_path).dirty is True


def test_why_git_tells_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_commit(tmp_path) == ""
    git(tmp_path, "init")
    assert "HEAD" in why_no_commit(tmp_path)
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    assert why_no_commit(tmp_path) == ""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own test of another owner
    assert environment(tmp_path).commit is None
    assert why_no_commit(tmp_path).startswith("detected dubious ownership in repository")


def test_no_commit_outside_of_a_repository_or_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert (environment(tmp_path).commit, environment(tmp_path).dirty) == (None, None)
    git(tmp_path, "init")
    monkeypatch.setenv("PATH", "")
    assert (environment(tmp_path).commit, environment(tmp_path).dirty) == (None, None)
