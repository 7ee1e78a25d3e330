"""Where numba keeps what it has compiled, in particular where it finds no place of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import fresh_process

pytest.importorskip("numba")

#: numba finds no folder, as with an installation that cannot be written and without a home.
HOMELESS = """
import json, os
from pathlib import Path
from numba.core import caching
for locator in ("InTreeCacheLocator", "UserWideCacheLocator", "IPythonCacheLocator"):
    name = locator if hasattr(caching, locator) else "_" + locator
    setattr(getattr(caching, name), "from_function", classmethod(lambda cls, function, file: None))
"""
COMPILE = """
import numpy as np
from harness.topics.bandits.engine.world import bits
folder = Path(os.environ.get("NUMBA_CACHE_DIR", ""))
print(json.dumps([str(folder), oct(folder.parent.stat().st_mode), int(bits(np.uint64(1), 2, 3, 4)) > 0,
                  len(list(folder.rglob("*.nbi")))]))
"""


def test_compiled_code_lies_in_the_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    folder, _, ran, files = fresh_process(HOMELESS + COMPILE)
    assert (folder, ran) == (str(tmp_path / "cache/numba"), True)
    assert files > 0


def test_otherwise_it_lies_among_temporary_files_where_nobody_else_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NUMBA_CACHE_DIR", "BAKEOFF_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder, mode, ran, files = fresh_process(HOMELESS + COMPILE)
    assert (Path(folder).parents[1], mode, ran) == (tmp_path, oct(0o40700), True)
    assert files > 0
    assert fresh_process(HOMELESS + COMPILE)[0] == folder
    Path(folder).parent.chmod(0o777)
    other, mode, ran, _ = fresh_process(HOMELESS + COMPILE.replace("folder.parent", "folder"))
    assert other != folder
    assert (Path(other).parent, mode, ran) == (tmp_path, oct(0o40700), True)


def test_a_folder_that_numba_finds_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    found = fresh_process(
        "import json, os\nimport harness.topics.bandits.engine\nprint(json.dumps('NUMBA_CACHE_DIR' in os.environ))"
    )
    assert found is False
