"""Runs venv and pip for an environment, and says in one sentence why they failed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.gate.environments.pins import unmet

_TAIL_LINES = 20
# Settings that would send packages elsewhere, or hold them at what the running interpreter has.
_PIP_OVERRIDES = (
    "PIP_CONSTRAINT",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIRE_HASHES",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
)
_ERROR = re.compile("ERROR: |error: |[A-Za-z]*Error: |\u00d7 ")
_COMPLAINT = re.compile(
    r"(?P<package>\S+) \S+ (?:has requirement|requires) (?P<needed>.+?), (?:but you have|which is not installed).*"
)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command with both of its outputs in one."""
    return subprocess.run(
        command,
        env={name: value for name, value in os.environ.items() if name not in _PIP_OVERRIDES},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the pip that an interpreter finds."""
    return run([str(python), "-P", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-color", *arguments])


def broken(python: Path, changed: Collection[str], before: Mapping[str, str]) -> dict[str, str]:
    """Return what ``pip check`` complains of since some packages changed: the package that suffers, and the complaint.

    Parameters
    ----------
    changed
        Canonical names of the packages that changed.
    before
        All packages as they were, name to version.
    """
    suffering: dict[str, str] = {}
    for line in pip(python, "check").stdout.splitlines():
        found = _COMPLAINT.fullmatch(line)
        if found is None:
            continue
        needed = Requirement(found["needed"])
        caused = canonicalize_name(needed.name) in changed and not unmet([needed], before)
        if caused or canonicalize_name(found["package"]) in changed:
            suffering.setdefault(found["package"], line.rstrip("."))
    return suffering


def reason(said: str, option: str) -> str:
    """Say why pip failed: of a conflict what it is between, of anything else its last error.

    Parameters
    ----------
    option
        Where another version of what is in the way can be given.
    """
    _, _, conflict = said.partition("The conflict is caused by:\n")
    if not conflict:
        return last_line(said)
    causes = "; ".join(line.strip() for line in conflict.partition("\n\n")[0].splitlines())
    held = dict.fromkeys(re.findall(r"\(constraint\) ([\w.-]+?)==", causes))
    advice = f"; add {' and '.join(held)} to {option} in a version that fits" if held else ""
    return causes.replace("The user requested (constraint)", "installed is") + advice


def last_line(said: str) -> str:
    """Return the last error in what a command printed, or the last line of it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return re.sub(r"^(ERROR|error): ", "", (errors or lines or ["it printed nothing"])[-1])


def tail(said: str) -> str:
    """Return the last lines of what a command printed."""
    return "\n".join(said.rstrip().splitlines()[-_TAIL_LINES:])
