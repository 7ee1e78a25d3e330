"""Texts of the package and the pages avoid a few forms that a reader has to read twice."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "harness"
ROOMS = ["harness", *sorted(f"harness/{file.parent.name}" for file in PACKAGE.glob("*/__init__.py"))]
PAGES = sorted(file for folder in (".", "docs", "datasets", "results") for file in (ROOT / folder).glob("*.md"))

# "there is no X" is plain, and so are comparisons: "is no longer", "are no larger than".
_NOT = r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|fewer\b|\w+er than\b)"
BANNED = {
    _NOT: 'write "is not a"',
    r"\b(?:stands?|stood) still\b": 'write "is constant"',
    r"\btold apart\b": 'write "distinguished", or "differ significantly"',
    r"\bcr(?:y|ies) wolf\b": 'write "raises false alarms"',
    r"\b(?:one|an?) (?:\w+ )?an? (?:row|trial|block|replication|seed|visitor|strategy)\b": 'write "one per"',
}
#: A file and the text in it that may use a form above, with the reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings and comments of a module with their lines; values in f-strings become ``{}``."""
    parts: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts.update(part for part in node.values if isinstance(part, ast.Constant))
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.lineno, node.value
    block, end = "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            if block and line > end + 1:
                yield end, block
                block = ""
            block, end = f"{block} {token.string.lstrip('#: ')}", line
    yield end, block


def clever(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines where a text is multiplied by a truth value, or where ``a and b()`` is a statement."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for text, factor in ((node.left, node.right), (node.right, node.left)):
                is_text = isinstance(text, ast.JoinedStr) or (
                    isinstance(text, ast.Constant) and isinstance(text.value, str)
                )
                is_bool = (
                    isinstance(factor, ast.Call) and isinstance(factor.func, ast.Name) and factor.func.id == "bool"
                )
                if is_text and (is_bool or isinstance(factor, ast.Compare)):
                    yield node.lineno, "a text times a truth value: write a conditional expression"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.BoolOp):
            yield node.lineno, "a boolean expression as a statement: write an if statement"


def banned(text: str) -> list[str]:
    """Return the banned forms in a text, each with what to write instead."""
    plain = " ".join(text.split())
    return [
        f"{match.group()!r}: {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def excused(name: str, text: str) -> bool:
    """Return whether a text of a file has an exception."""
    return any(file == name and part in " ".join(text.split()) for file, part in EXCEPTIONS)


def faults_of(file: Path, name: str) -> list[str]:
    """Return what is wrong with the texts of a module or page, one sentence for each."""
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        prose = re.sub(r"^#.*$", r"\g<0>\n", re.sub(r"```.*?```", "", source, flags=re.DOTALL), flags=re.MULTILINE)
        parts = re.split(r"\n\s*\n|\n(?=\||- |#|\d+\. )", prose)
        return [f"{name}: {fault}" for part in parts if not excused(name, part) for fault in banned(part)]
    faults = [
        f"{name}:{line}: {fault}" for line, text in texts(source) if not excused(name, text) for fault in banned(text)
    ]
    return faults + [f"{name}:{line}: {fault}" for line, fault in clever(source)]


@pytest.mark.parametrize("room", ROOMS)
def test_texts_of_a_room_are_plain(room: str) -> None:
    files = (ROOT / room).glob("*.py") if room == "harness" else (ROOT / room).rglob("*.py")
    assert not [fault for file in sorted(files) for fault in faults_of(file, file.relative_to(ROOT).as_posix())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_are_plain(page: Path) -> None:
    assert not faults_of(page, page.relative_to(ROOT).as_posix())


def test_every_exception_is_needed() -> None:
    for name, part in EXCEPTIONS:
        text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        assert part in text, f"{name} does not contain {part!r} any more: remove the exception"
        assert banned(part), f"{part!r} needs no exception: remove it"


def test_all_folders_are_rooms() -> None:
    """A folder with modules but without ``__init__.py`` would be left out."""
    assert {file.relative_to(PACKAGE).parts[0] for file in PACKAGE.glob("*/*.py")} == {
        room.removeprefix("harness/") for room in ROOMS[1:]
    }


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('"""What is no mean."""\n', "is no"),
        ('text = f"{name!r} is no name"\n', "is no"),
        ("# A comment that\n# goes on, and is\n# no good.\n", "is no"),
        ('"""Means that\nstand still."""\n', "stand still"),
        ('"""One number a row."""\n', "one per"),
        ('text = " more" * bool(x)\n', "a text times"),
        ("text = f' {x}' * (x > 1)\n", "a text times"),
        ("x and x.close()\n", "as a statement"),
    ],
)
def test_a_planted_fault_is_reported(tmp_path: Path, source: str, fault: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    (said,) = faults_of(file, "module.py")
    assert fault in said


@pytest.mark.parametrize(
    "source",
    [
        '"""There is no run. The answer is no: it is no longer there, and no larger than 5."""\n',
        'line = "-" * width\n',
        'text = " more" if x else ""\n',
        '"""An array a, a row per trial."""\n',
    ],
)
def test_plain_texts_are_left_alone(tmp_path: Path, source: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    assert not faults_of(file, "module.py")


def test_a_page_is_read_across_lines_and_without_its_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("A text that is\nno page.\n\n```sh\n# is no fault\n```\n", encoding="utf-8")
    (said,) = faults_of(page, "page.md")
    assert "is no" in said
