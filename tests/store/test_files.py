"""Files that are replaced as a whole."""

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
    with pytest.raises(UsageError, match=r"^cannot write .*page \(Is a directory\)"):
        write_atomically(tmp_path / "page", b"x")
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(UsageError, match=r"^cannot write .*page: .*file is a file; give a place in a folder$"):
        write_atomically(tmp_path / "file" / "page", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "page"]
    assert (tmp_path / "file").read_bytes() == b"old"
