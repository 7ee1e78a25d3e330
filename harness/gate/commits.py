"""The commits that lie between the two sides of a gate."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from harness.gate.decision import Commits
from harness.measure.git import git

_HASH = re.compile(r"[0-9a-f]{7,64}")
_LIMIT_S = 20.0


def commits_between(folder: Path, base: str | None, candidate: str | None) -> Commits | None:
    """Count the commits between two others in the repository of a folder.

    Returns
    -------
    Commits or None
        ``None`` where they are the same or one is unknown, and in a shallow clone, which lacks some of the history.
    """
    # A stored run may name anything as its commit, also an option of git.
    if not (base and candidate and base != candidate and _HASH.fullmatch(base) and _HASH.fullmatch(candidate)):
        return None
    try:
        shallow = git(folder, "rev-parse", "--is-shallow-repository", timeout_s=_LIMIT_S)
        if shallow.stdout.strip() != "false":
            return None
        counted = git(folder, "rev-list", "--left-right", "--count", f"{base}...{candidate}", "--", timeout_s=_LIMIT_S)
        if counted.returncode:
            return None
        behind, ahead = map(int, counted.stdout.split())
        subject = git(folder, "log", "-1", "--format=%s", candidate, "--", timeout_s=_LIMIT_S).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Commits(ahead, behind, subject if ahead == 1 else "")
