"""Shared memory in files, which no process's resident size contains unless the process maps it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from support import fresh_process

from harness.measure.shared import with_files

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has these files")

PRELUDE = """
import json, mmap, os, tempfile
from harness.measure.shared import processes, with_files

SIZE = 40_000_000

def write(descriptor):
    for _ in range(40):
        os.write(descriptor, bytes(SIZE // 40))

def touch(descriptor):
    os.truncate(descriptor, SIZE)
    mapped = mmap.mmap(descriptor, SIZE)
    for place in range(0, SIZE, mmap.PAGESIZE):
        mapped[place] = 1
    return mapped

def held():
    return with_files(processes(os.getpid()))

found, before = [], held()
def note():
    found.append((held() - before) / SIZE)
"""

WAYS = {
    "memfd": "file = os.memfd_create('x'); write(file); note(); os.close(file); note()",
    "file": "file = tempfile.TemporaryFile(dir='/dev/shm'); write(file.fileno()); note(); file.close(); note()",
    "mapped": "file = os.memfd_create('x'); kept = touch(file); note(); kept.close(); os.close(file); note()",
    "mapped before": "file = os.memfd_create('x'); touch(file).close(); note(); os.close(file); note()",
    "mapped without a file": """
kept = mmap.mmap(-1, SIZE)
file = os.memfd_create('x')
write(file)
note()
os.close(file)
note()""",
    "in a child": """
ready, tell = os.pipe()
end, wait = os.pipe()
if not (child := os.fork()):
    write(os.memfd_create('x'))
    os.write(tell, b".")
    os.read(end, 1)
    os._exit(0)
os.read(ready, 1)
note()
os.write(wait, b".")
os.waitpid(child, 0)
note()""",
}


@pytest.mark.measured
@pytest.mark.parametrize("way", WAYS)
def test_a_file_in_memory_counts_once_while_it_is_there(way: str) -> None:
    found: Any = fresh_process(PRELUDE + WAYS[way] + "\nprint(json.dumps(found))")
    assert found == pytest.approx([1.0, 0.0], abs=0.1)


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert with_files([2**22 + 1]) == with_files([])
