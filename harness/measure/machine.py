"""What a run was measured on: the machine, the packages and the commit, and the memory that a trial may take."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path, PurePosixPath

import msgspec
import psutil

from harness.errors import UsageError
from harness.measure import device
from harness.measure.git import git

ROOT = Path("/")
_WITHOUT_METADATA = ("msgspec", "numpy", "pandas", "psutil", "pyarrow", "scipy", "threadpoolctl")
_NAME = re.compile(r"(?=.{1,240}\Z)[a-z0-9]+([-._][a-z0-9]+)*")
_GIT_S = 10.0


class Machine(msgspec.Struct, frozen=True):
    """The machine as the measuring process sees it. A field is empty or ``None`` where it cannot be read.

    Attributes
    ----------
    name
        Slug of CPU model, usable cores and memory in GiB; never the host's name.
    cores
        Cores that this process may use at once: its affinity, cut by the control group's quota. 0 in an imported run
        whose file does not say, like `cores_total`.
    cores_total
        Logical cores of the machine.
    memory_limit_bytes
        Least memory limit of the control group and its ancestors; ``None`` if it is not less than the memory.
    cpu_quota
        Cores' worth of time that the control group grants.
    virtual
        Whether the CPU reports a hypervisor.
    """

    name: str
    cpu: str = ""
    cores: int = 1
    cores_total: int = 1
    memory_bytes: int = 0
    memory_limit_bytes: int | None = None
    cpu_quota: float | None = None
    kernel: str = ""
    os: str = ""
    python: str = ""
    governor: str = ""
    smt: bool | None = None
    virtual: bool | None = None
    devices: list[str] = []


class Environment(msgspec.Struct, frozen=True):
    """The software that a run was measured with.

    Attributes
    ----------
    packages
        Version of each distribution.
    commit, dirty
        Commit of the project's folder, and whether tracked files differ from it; ``None`` outside of a repository.
    """

    packages: dict[str, str] = {}
    commit: str | None = None
    dirty: bool | None = None


def fingerprint(name: str | None = None, *, root: Path = ROOT) -> Machine:
    """Describe this machine.

    Parameters
    ----------
    name
        Name to use instead of the slug.

    Raises
    ------
    UsageError
        When `name` cannot name a folder.
    """
    if name is not None:
        check_name(name)
    cpuinfo = _cpuinfo(root)
    cpu = _cpu_model(cpuinfo)
    cores_total = psutil.cpu_count() or 1
    cores, quota = len(usable_cores()) or cores_total, _cpu_quota(root)
    cores = cores if quota is None else min(cores, max(1, int(quota)))
    memory = psutil.virtual_memory().total
    limit = min((limit for limit, _ in _memory_groups(root) if limit < memory), default=None)
    smt = _read(root / "sys/devices/system/cpu/smt/active")
    return Machine(
        name=name or slug(cpu, cores, limit or memory),
        cpu=cpu,
        cores=cores,
        cores_total=cores_total,
        memory_bytes=memory,
        memory_limit_bytes=limit,
        cpu_quota=quota,
        kernel=platform.release(),
        os=_system(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        governor=_governor(root),
        smt=smt == "1" if smt else None,
        virtual="hypervisor" in cpuinfo["flags"].split() if "flags" in cpuinfo else None,
        devices=device.device_names(root),
    )


def check_name(name: str) -> None:
    """Refuse a machine's name that cannot name a folder."""
    if not _NAME.fullmatch(name):
        shown = name if len(name) <= 80 else f"{name[:80]}..."
        raise UsageError(
            f"machine name {shown!r} cannot name a folder: use at most 240 lower-case letters, digits and dashes"
        )


def slug(cpu: str, cores: int, memory_bytes: int) -> str:
    """Name a machine by its hardware, as in ``amd-epyc-2c-24g``; without cores or memory where these are 0."""
    noise = r"\((r|tm|c)\)|@.*|\b(with|w/).*|\b(cpu|processor|\d+-core)\b"
    words = re.findall(r"[a-z0-9]+", re.sub(noise, " ", cpu.lower()))
    memory = [f"{max(1, round(memory_bytes / 2**30))}g"] if memory_bytes else []
    return "-".join([*words, *([f"{cores}c"] if cores else []), *memory])


def environment(folder: Path, packages: Iterable[str] = ()) -> Environment:
    """Describe the commit of a folder and the installed software.

    The harness's own dependencies and `packages` (distributions or modules) are listed as far as they are installed.
    """
    # Untracked files do not count: a run writes its own results into the folder.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Environment(
        packages=_versions([*_own_dependencies(), *packages]),
        commit=_git(folder, "rev-parse", "HEAD"),
        dirty=None if changes is None else changes != "",
    )


def why_no_commit(folder: Path) -> str:
    """Return git's reason for telling no commit of a folder, such as its owner; empty if it is in no repository."""
    with suppress(OSError, subprocess.SubprocessError):
        done = git(folder, "rev-parse", "HEAD", timeout_s=_GIT_S)
        said = done.stderr.strip().splitlines()
        if done.returncode and said and "not a git repository" not in said[0]:
            return said[0].removeprefix("fatal: ")
    return ""


def usable_cores() -> list[int]:
    """List the cores that this process may run on, in ascending order; empty where cores cannot be chosen (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def memory_budget(root: Path = ROOT) -> int:
    """Return the bytes that a trial may use by default: 80 % of what is free now within the control groups' limits."""
    headroom = [limit - used for limit, used in _memory_groups(root)]
    return max(0, min([psutil.virtual_memory().available, *headroom])) * 4 // 5


def _cpu_quota(root: Path) -> float | None:
    """Return the least quota of the process's control groups in cores."""
    quotas = []
    for folder in control_groups(root, "cpu"):
        v1 = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
        text = _read(folder / "cpu.max") or " ".join(map(_read, v1))
        granted, _, period = text.partition(" ")
        if granted.isdigit() and period.isdigit():
            quotas.append(int(granted) / int(period))
    return min(quotas, default=None)


def _memory_groups(root: Path) -> Iterator[tuple[int, int]]:
    """Yield limit and use in bytes of every control group that limits memory; cached files that can go do not count."""
    for folder in control_groups(root, "memory"):
        limit = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
        if not limit.isdigit():
            continue
        used = _read(folder / "memory.current") or _read(folder / "memory.usage_in_bytes") or "0"
        counters = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
        cached = counters.get("total_inactive_file", counters.get("inactive_file", 0))
        yield int(limit), int(used) - int(cached)


def control_groups(root: Path, controller: str) -> list[Path]:
    """List the folders of the process's control group and of its ancestors, whose limits hold as well (v1 and v2)."""
    mount = root / "sys/fs/cgroup"
    folders: list[Path] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for top in (mount / controllers, mount / (controller if controllers else "unified")):
            folders += (top / part for part in (inner, *inner.parents))
    return list(dict.fromkeys(folders))


def _cpuinfo(root: Path) -> dict[str, str]:
    """Read the first processor's entries of /proc/cpuinfo."""
    first = _read(root / "proc/cpuinfo").split("\n\n", 1)[0]
    return dict(re.findall(r"^(.+?)\s*:[ \t]*(.*)$", first, re.MULTILINE))


def _cpu_model(cpuinfo: dict[str, str]) -> str:
    # ARM has no name in the file but two codes for it; macOS has no file.
    codes = (platform.machine(), cpuinfo.get("CPU implementer", ""), cpuinfo.get("CPU part", ""))
    named = cpuinfo.get("model name") or _output(["sysctl", "-n", "machdep.cpu.brand_string"])
    return named or " ".join(codes).strip()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.mac_ver()[0]}".strip()


def _governor(root: Path) -> str:
    folder = root / "sys/devices/system/cpu"
    found = {_read(folder / f"cpu{core}/cpufreq/scaling_governor") for core in usable_cores()}
    return ", ".join(sorted(found - {""}))


def _own_dependencies() -> list[str]:
    """List what the harness and its extras require, save for its developers' tools."""
    try:
        required = metadata.requires("bakeoff") or []
    except metadata.PackageNotFoundError:
        return list(_WITHOUT_METADATA)
    kept = (line for line in required if not re.search(r"""extra == ['"]dev['"]""", line))
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in kept]


def _versions(names: Iterable[str]) -> dict[str, str]:
    owners = metadata.packages_distributions()
    versions = {}
    for distribution in sorted({owner for name in names for owner in owners.get(name, [name])}):
        with suppress(metadata.PackageNotFoundError):
            versions[distribution] = metadata.version(distribution)
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; ``None`` when it is missing, fails or takes too long."""
    with suppress(OSError, subprocess.SubprocessError):
        done = git(folder, *arguments, timeout_s=_GIT_S)
        return done.stdout.strip() if done.returncode == 0 else None
    return None


def _output(command: list[str]) -> str | None:
    """Return what a command prints; ``None`` when it is missing, fails or takes over 10 s."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
