"""Resident memory: peaks that can be set back, and the allocator's noise switched off."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import fresh_process

from harness.measure import memory

pytestmark = pytest.mark.measured

exact = pytest.mark.skipif(memory.HighWater().reset() is None, reason="the peak cannot be reset here")

PEAKS = """
import json
import numpy as np
import psutil
from harness.measure import memory

start = memory.HighWater().reset()
resident = psutil.Process().memory_info().rss
block = np.ones(40_000_000, np.uint8)
held = memory.HighWater().peak()
del block
freed = memory.HighWater().peak()
again = memory.HighWater().reset()
print(json.dumps([start - resident, held - start, freed - start, again - start, memory.HighWater().peak() - again]))
"""


@exact
def test_peak_outlives_its_memory_until_it_is_reset() -> None:
    start, held, freed, again, peak = (figure / 1e6 for figure in fresh_process(PEAKS))
    assert start == pytest.approx(0, abs=0.5)
    assert [held, freed] == pytest.approx([40, 40], rel=0.03)
    assert again == pytest.approx(0, abs=0.5)
    assert peak == pytest.approx(0, abs=0.5)


TRIM = """
import json
from harness.measure import memory

start = memory.HighWater().reset()
kept = [b"x" * 100_000 for _ in range(1000)]
memory.trim()
held = memory.HighWater().reset()
kept = kept[-1:]  # the last block keeps the end of the heap where it is
untrimmed = memory.HighWater().reset()
memory.trim()
print(json.dumps([held - start, untrimmed - start, memory.HighWater().reset() - start]))
"""


@exact
def test_trim_returns_what_was_freed() -> None:
    held, _, trimmed = (figure / 1e6 for figure in fresh_process(TRIM))
    assert held == pytest.approx(100, rel=0.03)
    assert trimmed < 1.0


COUNTED = """
import json, mmap
from harness.measure import memory

counts, exact = [], memory._counts_pages()
for counts_pages in (True, False):
    memory._counts_pages = lambda: counts_pages
    memory.resident()
    start = memory.resident()
    pages = mmap.mmap(-1, 50 * mmap.PAGESIZE)
    for place in range(0, len(pages), mmap.PAGESIZE):
        pages[place] = 1
    counts.append((memory.resident() - start) / mmap.PAGESIZE)
    pages.close()
print(json.dumps([counts, exact]))
"""


def test_resident_size_is_right_to_the_page() -> None:
    (short, long), exact_status = fresh_process(COUNTED)
    assert long == pytest.approx(50, abs=1)
    if exact_status:
        assert short == pytest.approx(50, abs=1)


CYCLES = """
import json
import weakref
from harness.measure import memory

class Node: ...
node = Node()
node.itself = node
left = weakref.ref(node)
del node
memory.trim()
print(json.dumps(left() is None))
"""


def test_trim_collects_cycles() -> None:
    assert fresh_process(CYCLES) is True


def test_without_clear_refs_there_is_no_peak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_CLEAR_REFS", str(tmp_path / "missing"))
    assert memory.HighWater().reset() is None


def test_kernel_without_resetting_has_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a kernel refuses the write: so does /dev/full."""
    monkeypatch.setattr(memory, "_CLEAR_REFS", "/dev/full")
    before = open_files()
    assert memory.HighWater().reset() is None
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


QUIET = """
import ctypes, json, sys
from harness.measure import memory

memory.quieten()
libc = ctypes.CDLL(None)
print(json.dumps([sys.argv[1:], id(object()), libc.personality(0xFFFFFFFF) & 0x40000, libc.prctl(42, 0, 0, 0, 0)]))
"""


def test_quiet_interpreters_lay_out_their_memory_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    for name, value in memory.QUIET_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    one, two, three = (fresh_process(QUIET, "kept", "arguments") for _ in range(3))
    if not one[2]:
        pytest.skip("address randomisation cannot be switched off here")
    assert one == two == three == [["kept", "arguments"], one[1], 0x40000, 1]


MAPPED = """
import json, mmap, sys
from harness.measure import memory

file = open(sys.argv[1], "rb")
growth = []
for first in (False, True):
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    if first:
        memory.map_libraries()
    start = memory.HighWater().reset()
    sum(mapped[place] for place in range(0, len(mapped), 4096))
    growth.append(memory.HighWater().peak() - start)
print(json.dumps(growth))
"""


@exact
def test_touching_a_mapped_file_is_no_growth_once_it_is_mapped_whole(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(bytes(8 * 2**20))
    before, after = fresh_process(MAPPED, str(library))
    assert before >= 7 * 2**20
    assert after <= 2**20


def test_other_systems_map_no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    asked: list[str] = []
    monkeypatch.setattr(memory, "_libc", lambda: asked.append("madvise"))
    memory.map_libraries()
    assert asked == []
