"""What is to be run, and the command line that selects the same again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from harness.records import Scalar, typed

ProfileName = Literal["quick", "full", "claims"]


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A choice of trials.

    Attributes
    ----------
    tasks
        Shell-style patterns, ``topic`` or ``topic/task``; empty for all.
    strategies, datasets, scenarios
        Shell-style patterns; empty for all.
    profile
        How much of the tasks is run: a quick look, everything, or what their claims need.
    blocks
        Number of blocks; ``None`` for that of the profile.
    values
        Values given to parameters and options by name; several values make a sweep.
    seed
        Root of all seeds of the run.
    timeout_s, memory_limit_bytes
        Limits of one trial.
    memory_pass
        Whether each trial runs once more with the allocator's noise switched off, for its memory figures alone.
    jobs
        Number of blocks that may run at the same time.
    stress
        Whether altered test sets are handed out whatever the profile says.
    """

    tasks: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    profile: ProfileName = "full"
    blocks: int | None = None
    values: dict[str, tuple[Scalar, ...]] = {}
    seed: int = 0
    timeout_s: float = 600.0
    memory_limit_bytes: int | None = None
    memory_pass: bool = False
    jobs: int = 1
    stress: bool = False


def command(
    task: str,
    *,
    strategies: Sequence[str] = (),
    datasets: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    values: Mapping[str, Sequence[Scalar]],
    blocks: int | None = None,
    seed: int = 0,
    stress: bool = False,
) -> str:
    """Write the command that runs a selection, quoted for a shell.

    Parameters
    ----------
    task
        ``topic/task``.
    strategies, datasets, scenarios
        Names; empty for all of the profile.
    values
        Parameters and options to their values.
    stress
        Whether altered test sets are asked for.
    """
    words = ["bakeoff", "run", task]
    for flag, names in (("-s", strategies), ("-d", datasets), ("--scenario", scenarios)):
        words += [word for name in names for word in (flag, name)]
    for name, given in values.items():
        words += ["--set", f"{name}={','.join(typed(value) for value in given)}"]
    words += ["--blocks", str(blocks)] if blocks else []
    words += ["--seed", str(seed)] if seed else []
    words += ["--stress"] if stress else []
    return shlex.join(words)
