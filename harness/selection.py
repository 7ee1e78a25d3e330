"""What a person asked for: kept in a run's header so that the run can be resumed and reproduced."""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.trial import Scalar

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
