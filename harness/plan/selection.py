"""What a person asks for, and the command line that asks for it again."""

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
        How much of the tasks: a quick look, the full evidence, or what their claims ask about.
    blocks
        Number of blocks; ``None`` for the profile's own.
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


def command(
    task: str,
    *,
    strategies: Sequence[str] = (),
    datasets: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    values: Mapping[str, Sequence[Scalar]],
    blocks: int | None = None,
    seed: int = 0,
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
    """
    words = ["bakeoff", "run", task]
    for flag, names in (("-s", strategies), ("-d", datasets), ("--scenario", scenarios)):
        words += [word for name in names for word in (flag, name)]
    for name, given in values.items():
        words += ["--set", f"{name}={','.join(typed(value) for value in given)}"]
    words += ["--blocks", str(blocks)] if blocks else []
    words += ["--seed", str(seed)] if seed else []
    return shlex.join(words)
