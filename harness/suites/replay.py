"""A clock that tells what trials took, for tools that insist on a clock of their own."""

from __future__ import annotations

from collections.abc import Sequence


class Replay:
    """Plays samples back: between two looks at the clock, one call of `step` passes the next sample.

    A tool that times ``step`` with ``now`` as its timer gets the samples as they were measured, in their order, and
    its own statistics work on them.

    Parameters
    ----------
    samples
        In seconds; `load` replaces them.
    """

    def __init__(self, samples: Sequence[float] = ()) -> None:
        self.load(samples)

    def load(self, samples: Sequence[float]) -> None:
        """Take samples in seconds."""
        self._samples, self._taken, self._passing = list(samples), 0, 0.0

    def now(self) -> float:
        """Return the time in seconds; it starts anew with every look, so that no sample is rounded."""
        passing, self._passing = self._passing, 0.0
        return passing

    def step(self) -> None:
        """Let the next sample pass.

        Raises
        ------
        RuntimeError
            When all have passed: one sample told twice would look like two.
        """
        if self._taken == len(self._samples):
            raise RuntimeError(f"there are {self._taken} samples, one a block; set BAKEOFF_BLOCKS for more")
        self._passing = self._samples[self._taken]
        self._taken += 1
