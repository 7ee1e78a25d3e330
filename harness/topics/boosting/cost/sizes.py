"""The sizes that the constants of the model are fitted on, and those that it is judged on.

The four corners of rows and columns separate what grows with rows, with columns and with both. Two corners are measured
with two numbers of trees, which separates what is paid once a training (starting it, binning the values) from what is
paid for every tree. Of the sizes held out, one lies inside of the corners, one has twice the rows and one twice the
columns of any of them.

The sizes held out were chosen before anything was measured, and have not changed. Those of the fit have changed once: a
try-out on a busy machine showed that workers take as long to start as 40 trees of the smallest size, so there are 200.
"""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """A training: rows, columns and trees of it."""

    rows: int
    columns: int
    trees: int


DEPTH = 6
BINS = 255
#: Single processes have one worker; two is what fits on the two cores that measure. A worker has one thread.
WORKERS = (1, 2)
BLOCKS = 3

FIT = (
    Size(5_000, 10, 10),
    Size(5_000, 10, 200),
    Size(5_000, 200, 10),
    Size(80_000, 10, 10),
    Size(80_000, 200, 5),
    Size(80_000, 200, 20),
)
HELD_OUT = (
    Size(20_000, 50, 20),
    Size(160_000, 100, 10),
    Size(10_000, 400, 10),
)
