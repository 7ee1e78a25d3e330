"""Thread limits: every native pool of a trial has as many threads as the trial declares."""

from __future__ import annotations

import os
import sys

from threadpoolctl import ThreadpoolController

# Read by libraries that are loaded after the limit is set, and by child processes.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables that limit native libraries to a number of threads."""
    return dict.fromkeys(_VARIABLES, str(threads))


def limit(controller: ThreadpoolController, threads: int) -> None:
    """Limit the pools of this process to a number of threads, those of libraries that are loaded later too."""
    os.environ.update(environment(threads))
    controller.limit(limits=threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
