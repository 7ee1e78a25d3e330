from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Exit, UsageError
from harness.measure.machine import Machine
from harness.store.read import encode, read
from harness.store.runs import RunWriteError, create, find, find_with_added, resume, runs

Make = Callable[..., Any]

CHILD = """
import resource, sys
from pathlib import Path
import msgspec
from harness.store.header import Header
from harness.store.runs import RunWriteError, create, resume
from harness.records import (Record)
folder, header, record = Path(sys.argv[1]), *map(str.encode, sys.argv[2:])
header, record = msgspec.json.decode(header, type=Header), msgspec.json.decode(record, type=Record)
def numbered(block):
    return msgspec.structs.replace(record, trial=msgspec.structs.replace(record.trial, block=block))
"""


def child(code: str, folder: Path, header: Any, record: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + textwrap.dedent(code), folder, encode(header), encode(record)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_run_is_created_appended_to_and_read(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    with create(tmp_path, make_header()) as run:
        assert run.path == tmp_path / "box" / "20261123T021500Z-01234567-a1b2c3.jsonl"
        for block in range(3):
            run.write(make_record(block))
            assert read(run.path) == (make_header(), [make_record(number) for number in range(block + 1)])
        assert run.keys == {make_record(block).trial.key for block in range(3)}


def test_a_start_elsewhere_on_earth_is_named_in_utc(make_header: Make) -> None:
    environment = type(make_header().environment)(packages={}, commit=None)
    header = make_header(started="2026-11-23T02:15:00+05:00", environment=environment)
    assert header.name == "20261122T211500Z-nocommit-a1b2c3"


def test_the_same_run_is_not_created_twice(tmp_path: Path, make_header: Make) -> None:
    with create(tmp_path, make_header()) as run:
        pass
    before = run.path.read_bytes()
    with pytest.raises(UsageError, match=r"cannot create .* \(File exists\)"):
        create(tmp_path, make_header())
    assert run.path.read_bytes() == before


def test_notes_are_replaced_as_a_whole(tmp_path: Path, make_header: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with create(tmp_path, make_header()) as run:
        run.note("abc", "first")
        run.note("abc", "second \udcff")
        note = run.folder / "abc.txt"
        assert note.read_text() == "second \\udcff"

        def fails(_self: Path, _target: Path) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(Path, "replace", fails)
        with pytest.raises(RunWriteError, match="Input/output error"):
            run.note("abc", "third")
        assert [file.name for file in run.folder.iterdir()] == ["abc.txt"]
        assert note.read_text() == "second \\udcff"


def test_a_results_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, make_header: Make) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^cannot create .*jsonl \(Not a directory\): give a folder"):
        create(tmp_path / "file" / "results", make_header())


def test_a_read_only_results_folder_is_one_sentence(
    tmp_path: Path, make_header: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> int:  # root may write in a read-only folder, so that chmod would show nothing
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(UsageError, match=r"^cannot create .*jsonl \(Permission denied\): give a folder"):
        create(tmp_path, make_header())
    with pytest.raises(UsageError, match=r"^cannot resume .*: Permission denied$"):
        resume(tmp_path / "run.jsonl")


def test_a_run_resumes_where_a_torn_line_begins(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    with create(tmp_path, make_header()) as run:
        run.write(make_record(0))
        run.write(make_record(1, status="failed", reason="planted"))
    with run.path.open("ab") as file:
        file.write(encode(make_record(2))[:-5])
    with resume(run.path) as again:
        assert again.header == make_header()
        assert again.keys == {make_record(0).trial.key, make_record(1).trial.key}
        again.write(make_record(2))
    assert [record.trial.block for record in read(run.path)[1]] == [0, 1, 2]


def test_a_run_being_written_is_not_resumed(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    process = child(
        """
        with create(folder, header) as run:
            run.write(record)
            print(run.path, flush=True)
            sys.stdin.read()
        """,
        tmp_path,
        make_header(),
        make_record(),
    )
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is being written by another process"):
        resume(path)
    assert path.read_bytes() == before
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with resume(path) as run:
        assert run.keys == {make_record().trial.key}


def test_the_lock_is_released_although_a_forked_child_lives_on(tmp_path: Path, make_header: Make) -> None:
    run = create(tmp_path, make_header())
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        run.close()
        run.close()
        with resume(run.path) as again:
            assert again.keys == set()
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(forked, 0)


def test_two_processes_write_two_runs_in_one_folder(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    code = """
    with create(folder, header) as run:
        for block in range(200):
            run.write(numbered(block))
            run.note(numbered(block).trial.key, header.run)
    """
    headers = [make_header(run="aaaaaa"), make_header(run="bbbbbb")]
    processes = [child(code, tmp_path, header, make_record()) for header in headers]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    expected = [make_record(block) for block in range(200)]
    # Both began in the same second: the order is that in which they ended.
    assert [read(path) for path in sorted(runs(tmp_path))] == [(header, expected) for header in headers]
    for path in runs(tmp_path):
        notes = [note.read_text() for note in path.with_suffix("").iterdir()]
        assert notes == [path.stem[-6:]] * 200


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_leaves_whole_lines(
    tmp_path: Path, make_header: Make, make_record: Make, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    true_write = os.write
    written: list[int] = []

    def writes_a_part(descriptor: int, data: bytes) -> int:
        if written:
            raise OSError(number, os.strerror(number))
        written.append(true_write(descriptor, data[:100]))
        return written[0]

    with create(tmp_path, make_header()) as run:
        run.write(make_record(0))
        before = run.path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", writes_a_part)
            with pytest.raises(RunWriteError) as caught:
                run.write(make_record(1), make_record(2))
        assert written == [100]
        assert run.path.read_bytes() == before
        assert str(caught.value) == (
            f"cannot write on {run.path} ({os.strerror(number)}), records safe so far: 1; "
            "free some space or mend the disk, then go on with 'bakeoff run --resume a1b2c3'"
        )
        assert caught.value.exit_code == Exit.USAGE
        assert run.keys == {make_record(0).trial.key}
        run.write(make_record(1), make_record(2))
    assert read(run.path)[1] == [make_record(0), make_record(1), make_record(2)]


def test_a_disk_that_is_full_at_the_start_leaves_no_file(
    tmp_path: Path, make_header: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UsageError, match=r"cannot write .* \(No space left on device\)"):
        create(tmp_path, make_header())
    assert runs(tmp_path) == []


def test_a_true_limit_on_the_file_leaves_whole_lines(tmp_path: Path, make_header: Make, make_record: Make) -> None:
    code = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with create(folder, header) as run:
        try:
            for block in range(100):
                run.write(numbered(block))
        except RunWriteError as error:
            print(len(run.keys), error)
    """
    out, _ = child(code, tmp_path, make_header(), make_record()).communicate()
    count, sentence = out.strip().split(" ", 1)
    (path,) = runs(tmp_path)
    assert "(File too large)" in sentence
    assert read(path)[1] == [make_record(block) for block in range(int(count))]
    assert path.read_bytes().endswith(b"\n")
    # The next line would not have fitted: the limit bound, not something else.
    assert 5000 - len(encode(make_record(int(count)))) < path.stat().st_size <= 5000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 5000


@pytest.fixture
def three(tmp_path: Path, make_header: Make) -> list[Path]:
    machine = type(make_header().machine)
    made = [
        make_header(run="abc123", started="2026-01-03T00:00:00Z", machine=machine(name="alpha")),
        make_header(run="abc999", started="2026-01-01T00:00:00Z", machine=machine(name="beta")),
        make_header(run="def000", started="2026-01-02T00:00:00Z", machine=machine(name="alpha")),
    ]
    paths = []
    for header in made:
        with create(tmp_path, header) as run:
            paths.append(run.path)
    (tmp_path / "alpha" / "notes.jsonl").write_text("not a run")
    return paths


def test_runs_are_listed_by_time(tmp_path: Path, three: list[Path]) -> None:
    assert runs(tmp_path) == [three[1], three[2], three[0]]
    assert runs(tmp_path / "alpha") == [three[2], three[0]]
    assert runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_what_a_person_types(tmp_path: Path, three: list[Path]) -> None:
    for name in (str(three[0]), three[0].name, three[0].stem, "abc123", "abc1", "latest"):
        assert find(tmp_path, name) == [three[0]]
    assert find(tmp_path, "d") == [three[2]]


def test_an_unclear_or_unknown_run_is_one_sentence(tmp_path: Path, three: list[Path]) -> None:
    with pytest.raises(UsageError, match=rf"'abc' may be any of {three[1]}, {three[0]}: give more of its id"):
        find(tmp_path, "abc")
    with pytest.raises(UsageError, match=r"no run 'abc124' in .*; did you mean abc123"):
        find(tmp_path, "abc124")
    with pytest.raises(UsageError, match=r"no run 'lastest' in .*; did you mean latest\?"):
        find(tmp_path, "lastest")
    with pytest.raises(UsageError, match="no run ''"):
        find(tmp_path, "")
    with pytest.raises(UsageError, match="contains no runs; make one with 'bakeoff run'"):
        find(tmp_path / "nowhere", "latest")


def test_a_run_means_the_blocks_that_were_added_to_it(tmp_path: Path, make_header: Make) -> None:
    machine = Machine("box")
    made = {}
    for hour, run, parent in ((1, "aaaaaa", ""), (2, "bbbbbb", ""), (3, "cccccc", "aaaaaa"), (4, "dddddd", "aaaaaa")):
        header = make_header(
            run=run, started=f"2026-11-23T0{hour}:00:00+00:00", machine=machine, parent=parent, trials=0
        )
        with create(tmp_path, header) as file:
            made[run] = file.path
    family = [made["aaaaaa"], made["cccccc"], made["dddddd"]]
    for name in ("aaaaaa", "cccccc", "latest", made["dddddd"].name):
        assert find_with_added(tmp_path, [name]) == family
    assert find_with_added(tmp_path, ["bbbbbb"]) == [made["bbbbbb"]]
    assert find_with_added(tmp_path, ["bbbbbb", "aaaaaa", "cccccc"]) == [made["bbbbbb"], *family]
    assert find_with_added(tmp_path, [str(made["aaaaaa"])]) == [made["aaaaaa"]]
    made["aaaaaa"].unlink()
    assert find_with_added(tmp_path, ["cccccc"]) == [made["cccccc"]]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read the run .*: No such file or directory$"):
        read(tmp_path / "none.jsonl")
