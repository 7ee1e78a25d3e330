"""The command line that measures something again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from harness.trial import Scalar, typed


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
