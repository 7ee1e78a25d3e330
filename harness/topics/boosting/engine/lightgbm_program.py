"""LightGBM's command-line program: where it is, and how it is built from its source distribution.

``python -m harness.topics.boosting.engine.lightgbm_program`` builds that of the installed version. It needs a C++
compiler, and pip for the source distribution, whose checksum is below. CMake comes from pip as well where the machine
has none that is new enough.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness import CannotRunError, UsageError
from harness.data.files import data_cache

VARIABLE = "BAKEOFF_LIGHTGBM"
COMMAND = "python -m harness.topics.boosting.engine.lightgbm_program"
#: Checksums of the source distributions that were tried, by version.
SHA256 = {"4.7.0": "f8e20f682c9aabd000bcf4a7ed8aa6f473c1adfecccae34ec24e823d156f4af0"}
_LEAST_CMAKE = (3, 28)  # what the source distribution of 4.7.0 asks for


def program() -> Path:
    """Return where the program is.

    Raises
    ------
    CannotRunError
        When it is not there.
    """
    given = os.environ.get(VARIABLE)
    place = Path(given) if given else _place(importlib.metadata.version("lightgbm"))
    if not place.is_file():
        raise CannotRunError(f"there is no command-line program of LightGBM at {place}: build it with {COMMAND}")
    return place


def build() -> Path:
    """Build the program in the user's cache, and return where it is.

    Raises
    ------
    UsageError
        When the version has no known checksum, or a tool is missing or fails.
    """
    version = importlib.metadata.version("lightgbm")
    if version not in SHA256:
        raise UsageError(
            f"no checksum is known for the source of LightGBM {version}, only for {', '.join(SHA256)}: install that "
            f"version, or build the program by hand and name it in the variable {VARIABLE}"
        )
    if shutil.which("c++") is None:
        raise UsageError("there is no C++ compiler (c++): install one, on Debian by apt-get install g++")
    place = _place(version)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".") as name:
        folder = Path(name)
        cmake = _cmake(folder)
        source = _source(version, folder)
        # The program is linked beside its source, where the Python package has its name.
        (source / "lightgbm").rename(source / "python")
        _run("cmake", [cmake, "-S", str(source), "-B", "build", "-DBUILD_CLI=ON", "-DCMAKE_BUILD_TYPE=Release"], folder)
        cores = str(len(os.sched_getaffinity(0)))
        _run("cmake", [cmake, "--build", "build", "--target", "lightgbm", "--parallel", cores], folder)
        (source / "lightgbm").replace(place)
    return place


def _place(version: str) -> Path:
    return data_cache() / f"lightgbm-{version}" / "lightgbm"


def _source(version: str, folder: Path) -> Path:
    """Fetch the source distribution, compare its checksum, and unpack it."""
    wanted = folder / "requirements.txt"
    wanted.write_text(f"lightgbm=={version} --hash=sha256:{SHA256[version]}\n", encoding="ascii")
    options = ("--no-deps", "--no-binary", "lightgbm", "--require-hashes", "--dest", ".", "--requirement", wanted.name)
    _run("pip", [*_PIP, "download", *options], folder)
    (archive,) = folder.glob("lightgbm-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"lightgbm-{version}"


def _cmake(folder: Path) -> str:
    """Return a CMake that is new enough: that of the machine, or one that pip puts into the folder."""
    found = shutil.which("cmake")
    if found:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"(\d+)\.(\d+)", said)
        if version and (int(version[1]), int(version[2])) >= _LEAST_CMAKE:
            return found
    least = ".".join(map(str, _LEAST_CMAKE))
    _run("pip", [*_PIP, "install", "--only-binary", ":all:", "--target", "tools", f"cmake>={least}"], folder)
    return str(folder / "tools" / "cmake" / "data" / "bin" / "cmake")


_PIP = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")


def _run(tool: str, command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["it printed nothing"]
        raise UsageError(f"{tool} failed while building LightGBM's program: {errors[0].strip()}")


def main() -> None:
    """Build the program and print where it is."""
    print("building LightGBM's command-line program: some minutes", file=sys.stderr)
    try:
        print(build())
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
