"""The ordinary clients of package registries: each downloads one package in one version, and installs nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.data.card import Origin
from harness.errors import UsageError

_TIMEOUT_S = 900
_ERROR = re.compile("(?:ERROR|E): ")
_NPM_ERROR = re.compile(r"npm (?:error|ERR!) (?!code |errno |syscall )")


def download(origin: Origin, folder: Path) -> Path:
    """Download a package into an empty folder.

    Raises
    ------
    UsageError
        When the client is missing or fails, with its last error.
    """
    if origin.pip is not None:
        if importlib.util.find_spec("pip") is None:
            raise UsageError(f"pip is not installed for {sys.executable}: run {sys.executable} -m ensurepip")
        # A source distribution would run its own code to say what it is, so only wheels are taken.
        options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet")
        command = [sys.executable, "-P", "-m", "pip", "download", *options, "--dest", ".", origin.pip]
        _run("pip", command, folder, origin.pip, "is there a network, and a wheel for this Python?")
    elif origin.apt is not None:
        _client("apt-get", "packages of apt are for Debian and its relatives")
        hint = "apt-get update renews apt's lists, if they are missing or old"
        _run("apt-get", ["apt-get", "download", "--quiet", origin.apt], folder, origin.apt, hint)
    elif origin.npm is not None:
        _client("npm", "it comes with Node.js")
        command = ["npm", "pack", "--ignore-scripts", "--loglevel", "error", origin.npm]
        _run("npm", command, folder, origin.npm, "is there a network, and such a version?")
    files = [file for file in folder.iterdir() if file.is_file()]
    if len(files) != 1:
        raise UsageError(f"{origin.text}: its client left {len(files)} files instead of one package")
    return files[0]


def _client(name: str, hint: str) -> None:
    if shutil.which(name) is None:
        raise UsageError(f"{name} is not installed, so its packages cannot be fetched ({hint})")


def _run(client: str, command: Sequence[str], folder: Path, package: str, hint: str) -> None:
    """Run a client in a folder; its messages are in English, so that its error can be found."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{client} did not fetch {package} within {_TIMEOUT_S} s; try again") from None
    if done.returncode:
        raise UsageError(f"{client} cannot fetch {package}: {_reason(done.stdout)}; {hint}")


def _reason(said: str) -> str:
    """Return the error in what a client printed, or the last line of it.

    pip and apt-get end with what matters; npm begins with it, after its codes.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    of_npm = [line for line in lines if _NPM_ERROR.match(line)]
    if of_npm:
        return _NPM_ERROR.sub("", of_npm[0]).rstrip(".")
    errors = [line for line in lines if _ERROR.match(line)]
    return _ERROR.sub("", (errors or lines or ["it printed nothing"])[-1]).rstrip(".")
