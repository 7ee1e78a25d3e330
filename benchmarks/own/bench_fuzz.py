"""Damaged files of runs through the commands that read them: none may end as a fault of bakeoff, nor fill the memory.

``python benchmarks/own/bench_fuzz.py --files 2000 --seed 0`` counts the exit codes and names the peak of memory. Each
file is a tracked run with one to three damages, read by a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import re
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from harness.cli.main import main as bakeoff
from harness.config import Config
from harness.registry import load_registry

RESULTS = Path(__file__).parents[2] / "results"
#: What reads the damaged run RUN, beside the intact run BASE.
COMMANDS = (
    "show RUN",
    "show RUN --json",
    "compare BASE RUN",
    "query SELECT\0*\0FROM\0trials,\0runs",
    "report RUN -o page.html",
    "report RUN --format markdown",
    "claims --run RUN",
    "history wall_s",
    "gate BASE RUN",
    "baseline set RUN",
    "baseline list",
    "export asv RUN --into asv",
    "export pytest-benchmark RUN",
    "list",
    "data list",
)
_HEAVY = (
    *("duckdb", "pandas", "pyarrow", "rich.console", "ruptures", "scipy.special", "scipy.stats"),
    *("harness.report.run.page", "harness.report.run.markdown", "harness.gate.stored.gate"),
    *("harness.interop.asv.exports", "harness.interop.pytest_benchmark.exports", "pytest_benchmark.stats"),
)
LIMIT_S = 60
MOST_BYTES = 10**9
_MOST_LINES = 40

#: Path of keys and positions to a value in a file of lines.
Place: TypeAlias = tuple[int | str, ...]

_NUMBERS = (0, -1, 1, 0.0, -0.5, 5e-324, 1e308, -1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30)
_TEXTS = (
    "",
    " ",
    ".",
    "..",
    "../../../victim",
    "/etc/passwd",
    "[/]",
    "[bold]",
    "[link=x]",
    "a\0b",
    "a\nb",
    "\x1b[2J",
    "\u202e",
    "<script>",
    "%s{0}",
    "NaN",
    "null",
    "2026-13-45T99:99:99",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+00:00",
    "é",
    "x" * 300,
    "a" * 100_000,
)
_RAW = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"1" + b"0" * 400,
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\xff"',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"true",
    b"null",
)


class Outcome(NamedTuple):
    """The end of one command on one file: its exit code (or ``None`` if it was killed), and what it said."""

    command: str
    code: int | None
    said: str


def damaged(lines: Sequence[bytes], draw: random.Random) -> bytes:
    """Damage a run in one to three places."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        harm = draw.choices((_other_value, _everywhere, _raw_value, _bytes, _lines, _keys), (35, 30, 10, 5, 10, 10))[0]
        # What is no longer there, or no longer JSON, stays as it is.
        with contextlib.suppress(ValueError, IndexError, RecursionError):
            lines = harm(lines, draw)
    return b"".join(lines)


def _other_value(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Replace a value of one line."""
    at, line = _any_line(lines, draw)
    place = draw.choice(list(_places(line)))
    return _with(lines, at, _encoded(_replaced(line, place, _other(_at(line, place), draw))))


def _everywhere(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Replace the values at one place of all records, mostly by the same one."""
    records = [json.loads(line) for line in lines[1:]]
    place = draw.choice(list(_places(draw.choice(records))))
    state, share = draw.getstate(), draw.choice((1.0, 1.0, 0.5))
    for record in records:
        if draw.random() < share:
            with contextlib.suppress(LookupError, TypeError):  # this record has no such place
                same = random.Random()
                same.setstate(state)
                _replaced(record, place, _other(_at(record, place), same))
    return [lines[0], *map(_encoded, records)]


def _other(old: Any, draw: random.Random) -> Any:
    """Choose a value of the same kind that stands at the edge of what it can be or beyond, or one of another kind."""
    kinds: dict[type, Callable[[], Any]] = {
        int: lambda: draw.choice((*_NUMBERS, -old)),
        float: lambda: draw.choice((*_NUMBERS, -old)),
        str: lambda: draw.choice(_TEXTS),
        list: lambda: draw.choice(([], old[:-1], old * 2, [None], [old], [-1.0] * len(old), [0.0] * len(old))),
        dict: lambda: draw.choice(({}, [], {**old, draw.choice(_TEXTS): next(iter(old.values()), 0)})),
    }
    same = kinds.get(type(old), lambda: None)()
    other: Any = draw.choice((None, True, 0, -1, 1.5, "x", [], {}, [[]], {"a": {}}))
    return same if draw.random() < 0.8 else other


def _raw_value(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Replace a value by a text that is hardly JSON."""
    at, line = _any_line(lines, draw)
    marked = _encoded(_replaced(line, draw.choice(list(_places(line))), "@@"))
    return _with(lines, at, marked.replace(b'"@@"', draw.choice(_RAW)))


def _bytes(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Flip bytes of a line."""
    at = draw.randrange(len(lines))
    content = bytearray(lines[at])
    for _ in range(draw.choice((1, 1, 5))):
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return _with(lines, at, bytes(content))


def _lines(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Cut, repeat, swap or drop lines, or put other ones between them."""
    at = draw.randrange(len(lines))
    line = lines[at]
    between = draw.choice((b"", b"\n", b"null\n", b"0\n", b"\0" * 5000 + b"\n", line, lines[0]))
    return [
        [*lines[:at], line[: draw.randrange(len(line) + 1)]],
        _with(lines, at, line[: draw.randrange(len(line) + 1)] + b"\n"),
        [*lines[:at], between, *lines[at:]],
        [*lines[:at], *lines[at + 1 :]],
        list(lines[:1]),
        [lines[0], *draw.sample(list(lines[1:]), len(lines) - 1)],
    ][draw.randrange(6)]


def _keys(lines: Sequence[bytes], draw: random.Random) -> Sequence[bytes]:
    """Remove a key, rename it, or give it twice."""
    at, line = _any_line(lines, draw)
    place = draw.choice([place for place in _places(line) if place and isinstance(place[-1], str)] or [()])
    if not place:
        return lines
    parent, key = _at(line, place[:-1]), place[-1]
    value, name = parent[key], draw.choice((key, *_TEXTS))
    if draw.random() < 0.5:
        del parent[key]
        if draw.random() < 0.5:
            parent[name] = value
        return _with(lines, at, _encoded(line))
    parent["@@"] = value
    return _with(lines, at, _encoded(line).replace(b'"@@"', json.dumps(name).encode()))


def _any_line(lines: Sequence[bytes], draw: random.Random) -> tuple[int, Any]:
    """Choose the header or a record."""
    at = 0 if draw.random() < 0.35 else draw.randrange(len(lines))
    return at, json.loads(lines[at])


def _places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Go through the places of all values in a value."""
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _places(part, (*here, key))


def _at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def _replaced(value: Any, place: Place, new: Any) -> Any:
    _at(value, place[:-1])[place[-1]] = new
    return value


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _with(lines: Sequence[bytes], at: int, line: bytes) -> Sequence[bytes]:
    return [*lines[:at], line, *lines[at + 1 :]]


def tracked() -> list[list[bytes]]:
    """Return the lines of short tracked runs, one for each set of tasks."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(RESULTS.glob("*/*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        if 3 < len(lines) <= _MOST_LINES:
            found.setdefault(str(sorted({json.loads(line)["trial"]["task"] for line in lines[1:]})), lines)
    return list(found.values())


def outcomes(content: bytes, base: Sequence[bytes], folder: Path) -> tuple[list[Outcome], int]:
    """Read a damaged run by all commands, in a process of its own; return their ends and its peak memory in bytes."""
    header = json.loads(base[0])
    place = folder / "results" / header["machine"]["name"]
    place.mkdir(parents=True)
    (folder / "bakeoff.toml").write_text("builtin = true\n")
    (place / "20250101T000000Z-nocommit-aaaaaa.jsonl").write_bytes(_older(base))
    # Under its right name a baseline can point at it.
    utc = re.sub("[-:]|[+].*", "", header["started"])
    run = place / f"{utc}Z-{(header['environment']['commit'] or 'nocommit')[:8]}-{header['run']}.jsonl"
    run.write_bytes(content)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.chdir(folder)
        with os.fdopen(writer, "w", encoding="utf-8") as answers:
            for command in COMMANDS:
                answers.write(json.dumps(_ended(command, str(run))) + "\n")
                answers.flush()
            answers.write(f"{_peak()}\n")
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answers:
        rows = [json.loads(line) for line in answers]
    os.waitpid(child, 0)
    ends = [Outcome(*row) for row in rows if isinstance(row, list)]
    if len(ends) < len(COMMANDS):
        ends.append(Outcome(COMMANDS[len(ends)], None, f"killed, perhaps after {LIMIT_S} s"))
    return ends, rows[-1] if rows and isinstance(rows[-1], int) else 0


def _older(base: Sequence[bytes]) -> bytes:
    header = json.loads(base[0])
    header.update(run="aaaaaa", started="2025-01-01T00:00:00+00:00")
    return b"".join([_encoded(header), *base[1:]])


def _ended(command: str, run: str) -> Outcome:
    """Run a command in this process; a traceback goes with a fault."""
    arguments = [word.replace("\0", " ").replace("RUN", run).replace("BASE", "aaaaaa") for word in command.split(" ")]
    sys.argv = ["bakeoff", "--debug", *arguments]
    signal.alarm(LIMIT_S)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said, open(os.devnull, "w", encoding="utf-8") as out:  # noqa: PTH123
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            try:
                bakeoff()
            except SystemExit as ended:
                code = int(ended.code or 0)
            except BaseException:
                traceback.print_exc()
                code = 3
        signal.alarm(0)
        said.seek(0)
        return Outcome(command, code, said.read()[-4000:])


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _import_all() -> None:
    """Import what commands use, so that a fork finds it done."""
    for name in {command.split()[0] for command in COMMANDS}:
        importlib.import_module(f"harness.cli.{name}_command")
    for name in _HEAVY:
        importlib.import_module(name)
    load_registry(Config(Path()))


def main() -> int:
    """Read as many damaged files as asked for, and report; 1 if a command failed or took too much memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="Folder for the files that a command failed on.")
    chosen = parser.parse_args()
    _import_all()
    bases = tracked()
    codes: Counter[int | None] = Counter()
    faults: Counter[str] = Counter()
    peak = 0
    for number in range(chosen.files):
        draw = random.Random(f"{chosen.seed}/{number}")
        base = draw.choice(bases)
        content = damaged(base, draw)
        with tempfile.TemporaryDirectory() as folder:
            ends, memory = outcomes(content, base, Path(folder))
        peak = max(peak, memory)
        codes.update(end.code for end in ends)
        failed = [end for end in ends if end.code in (None, 3)]
        for end in failed:
            faults[f"{end.command.split()[0]}: {end.said.strip().splitlines()[-1][:300]}"] += 1
        if (failed or memory > MOST_BYTES) and chosen.keep is not None:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            (chosen.keep / f"{chosen.seed}-{number}.jsonl").write_bytes(content)
            (chosen.keep / f"{chosen.seed}-{number}.txt").write_text("\n".join(f"{end}" for end in failed))
    report = {
        "files": chosen.files,
        "seed": chosen.seed,
        "exit codes": {str(code): count for code, count in sorted(codes.items(), key=str)},
        "peak memory in MB": round(peak / 1e6),
        "faults": dict(faults.most_common()),
    }
    print(json.dumps(report, indent=2))
    return int(bool(faults) or peak > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
