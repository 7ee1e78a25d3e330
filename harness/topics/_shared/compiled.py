"""Where numba keeps what it has compiled."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numba
from numba.core.caching import FunctionCache


def find_cache() -> None:
    """Give numba a folder for compiled code where it finds none: ``BAKEOFF_CACHE``, else one for temporary files.

    To be called before functions are declared with ``cache=True``, which fails otherwise: as in a container whose user
    has no home and may not write into the installed package.
    """
    try:
        FunctionCache(find_cache)  # type: ignore[no-untyped-call]
    except RuntimeError:
        # In the environment, so that processes started later find it too.
        os.environ["NUMBA_CACHE_DIR"] = str(_folder())
        numba.config.reload_config()  # type: ignore[no-untyped-call]


def _folder() -> Path:
    given = os.environ.get("BAKEOFF_CACHE", "")
    if given:
        return Path(given).absolute() / "numba"
    folder = Path(tempfile.gettempdir()) / f"bakeoff-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    # numba runs what lies there, so nobody else may have made the folder, or be able to write into it.
    if state.st_uid == os.getuid() and not state.st_mode & 0o022 and not folder.is_symlink():
        return folder / "numba"
    return Path(tempfile.mkdtemp(prefix="bakeoff-"))
