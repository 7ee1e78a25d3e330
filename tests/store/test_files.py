"""Files that are replaced as a whole."""

import os
import stat
import subprocess
import sys
import tty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.store.atomic import write_atomically


def test_content_is_replaced_and_nothing_is_left_over(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    write_atomically(file, b"one")
    write_atomically(file, b"two")
    assert file.read_bytes() == b"two"
    assert [path.name for path in file.parent.iterdir()] == ["page.html"]
    assert file.stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_written_is_one_sentence_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with pytest.raises(UsageError, match=r"^cannot write .*page, which is a folder: give the name of a file$"):
        write_atomically(tmp_path / "page", b"x")
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(UsageError, match=r"^cannot write .*page: .*file is a file; give a place in a folder$"):
        write_atomically(tmp_path / "file" / "page", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "page"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, target in (("link", "folder/page"), ("further", "link"), ("circle", "circle")):
        (tmp_path / name).symlink_to(target)
    for name in ("link", "further"):
        write_atomically(tmp_path / name, name.encode())
        assert (tmp_path / "folder" / "page").read_bytes() == name.encode()
        assert (tmp_path / name).is_symlink()
    with pytest.raises(UsageError, match=r"^cannot write .*circle \(Too many levels of symbolic links\)"):
        write_atomically(tmp_path / "circle", b"x")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["circle", "folder", "further", "link", "page"]


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with ThreadPoolExecutor(1) as reader:
            read = reader.submit(pipe.read_bytes)
            write_atomically(tmp_path / name, name.encode())
            assert read.result() == name.encode()
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    (tmp_path / "terminal").symlink_to(os.ttyname(slave))
    write_atomically(tmp_path / "terminal", b"text")
    assert os.read(master, 100) == b"text"
    assert stat.S_ISCHR((tmp_path / "terminal").stat().st_mode)
    os.close(master)
    os.close(slave)


def test_the_file_that_is_printed_to_is_continued(tmp_path: Path) -> None:
    """The link is like ``/dev/stdout``; the shell that opened the file goes on writing after this process."""
    file, link = tmp_path / "log", tmp_path / "stdout"
    link.symlink_to("/proc/self/fd/1")
    code = (
        "import sys; from pathlib import Path; from harness.store.atomic import write_atomically\n"
        "print('one'); write_atomically(Path(sys.argv[1]), b'two\\n'); print('three')"
    )
    with file.open("w") as log:
        log.write("zero\n")
        log.flush()
        subprocess.run([sys.executable, "-c", code, str(link)], stdout=log, check=True)
    assert file.read_text() == "zero\none\ntwo\nthree\n"
    assert link.is_symlink()
