"""Every snippet of the pages runs, page by page, as a reader would run it: in a folder with nothing but the wheel.

A block in a shell's language runs with the files that the blocks before it made. What has a file name is saved under
it. If the paragraph above a block says "checkout", it runs in a copy of this repository. At the end, the commands
`bakeoff run` in the text are planned with `--dry-run`. `exceptions.toml` lists what is parsed only, and `folders.py`
what a reader has before he begins.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import pytest
import yaml
from click.exceptions import Exit, NoArgsIsHelpError
from docs.folders import GIT, PREPARED
from docs.snippets import PAGES, ROOT, Block, blocks, commands, read
from wheel import installed_wheel

from docs import stand_in

MOST_EXCEPTIONS = 15
OUTPUT = ("", "text")
ASK = Path(__file__).with_name("ask.py")
PARSERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "json": lambda text: [json.loads(line) for line in text.splitlines()],
}


@dataclass
class Reader:
    """A reader of a page, who has a wheel and two folders: a project's and, where a snippet needs it, a checkout."""

    python: Path
    folder: Path
    server: str

    def __post_init__(self) -> None:
        self.project.mkdir()
        self.calls = self.folder / "calls"
        self.calls.touch()
        tools = self.folder / "tools"
        tools.mkdir()
        for name in stand_in.NAMES:
            script = tools / name
            anew = f'exec "{self.python}" -P "{stand_in.__file__}" {name} "$@"\n'
            # In a checkout, the package is the checkout's, and not the one that the server has imported.
            fork = f'[ "$PYTHONPATH" ] || exec "{self.python}" -I -S "{ASK}" "{self.server}" "$@"\n'
            script.write_text(f"#!/bin/sh\n{fork if name == 'bakeoff' else ''}{anew}")
            script.chmod(0o755)
        paths = [str(tools), str(self.python.parent), os.environ["PATH"]]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        made = {"PATH": os.pathsep.join(paths), "HOME": str(self.folder), "DOCS_CALLS": str(self.calls)}
        self.variables = kept | GIT | made

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @cached_property
    def checkout(self) -> Path:
        """A copy of this repository, without what git ignores."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / "checkout" / name)
        return self.folder / "checkout"

    def run(self, place: Path, *command: str, text: str = "") -> None:
        """Run a command in one of the folders."""
        variables = self.variables | ({"PYTHONPATH": str(place)} if place.name == "checkout" else {})
        done = subprocess.run(
            command, cwd=place, env=variables, input=text, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        place = self.checkout if block.in_checkout else self.project
        if block.file:
            file = place / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            before = f"{file.read_text(encoding='utf-8')}\n\n" if block.appended else ""
            file.write_text(before + block.text, encoding="utf-8")
        if block.language == "sh" and not block.file:
            self.run(place, "sh", "-e", "-c", block.text)
        elif block.language == "python" and not block.file:
            self.run(place, str(self.python), "-P", "-", text=block.text)
        else:
            parse(block)

    def plan(self, command: str) -> None:
        """Plan the measurements of a command in the text, which shows that everything it names exists."""
        self.run(self.project, "sh", "-c", f"{command} --dry-run")


def parse(block: Block) -> None:
    """Parse a block that is not run."""
    for call in re.findall(r'\["?bakeoff"?, ([^]]*)\]', block.text):
        words = (word.strip(' "') for word in call.split(","))
        stand_in.parse([word for word in words if not word.startswith("*")])
    if block.language == "python":
        compile(block.text, str(block), "exec")
    elif block.language == "sh":
        subprocess.run(["sh", "-n"], input=block.text, text=True, check=True)
        for command in re.findall(r"^(?:exec |.*/)?(bakeoff .*)", block.text, re.MULTILINE):
            stand_in.parse(shlex.split(re.sub(r"\$\w+", "1", command), comments=True)[1:])
    elif block.language in PARSERS:
        PARSERS[block.language](block.text)
    else:
        assert block.language in OUTPUT, f"{block}: nothing runs a block in the language {block.language}"
        assert not re.search(r"^\s*(\$ |bakeoff )", block.text, re.MULTILINE), f"{block}: a command, but not a block sh"


def excepted(block: Block) -> dict[str, str] | None:
    """Return the exception for a block, if there is one."""
    for entry in stand_in.EXCEPTIONS:
        if entry.get("page") == block.page and re.search(entry["block"], block.text):
            return entry
    return None


def planned(page: str) -> Iterator[str]:
    """Go through the commands in a page's text that measure. Words in capitals stand for values: they are left out."""
    for command in dict.fromkeys(commands(read(page))):
        if command.startswith("bakeoff run ") and not re.search(r" [A-Z]+\b|--resume|--dry-run|--executor", command):
            yield command


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def server(python: Path) -> Iterator[str]:
    """Start the process that the commands of the pages are forked from, and yield its address."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder, "server")
        command = [str(python), "-P", stand_in.__file__, "--serve", str(address)]
        # The folder is empty, so that no project's data sets are found beside those of the package.
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield str(address)
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page, read(page))) or any(planned(page))])
def test_the_snippets_of_a_page_run(page: str, python: Path, server: str, tmp_path: Path) -> None:
    reader = Reader(python, tmp_path, server)
    if prepare := PREPARED.get(page):
        prepare(reader.project)
    for block in blocks(page, read(page)):
        try:
            parse(block) if excepted(block) else reader.follow(block)
        except (AssertionError, ValueError, SyntaxError, subprocess.SubprocessError) as error:
            pytest.fail(f"{block}: {error}", pytrace=False)
    for command in planned(page):
        reader.plan(command)
    print(reader.calls.read_text())  # pytest -rP shows what ran, and how long it took


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_in_the_text_have_the_options_they_name(page: str) -> None:
    for command in commands(read(page)):
        # What is missing is missing on purpose: "written by `bakeoff baseline set`".
        with contextlib.suppress(click.MissingParameter, click.BadOptionUsage, NoArgsIsHelpError, Exit):
            stand_in.parse(shlex.split(command.partition(" | ")[0])[1:])


def test_exceptions_are_few_and_needed() -> None:
    assert len(stand_in.EXCEPTIONS) <= MOST_EXCEPTIONS
    every = [block for page in PAGES for block in blocks(page, read(page))]
    scripts = "\n".join(block.text for block in every if block.language == "sh")
    for entry in stand_in.EXCEPTIONS:
        assert entry["reason"]
        needed = any(excepted(block) is entry for block in every) or re.search(entry.get("command", "$^"), scripts)
        assert needed, f"no snippet needs the exception {entry}"


SAMPLE = """\
Append this to `harness/a.py`:

```python
b = 1
```

In a checkout, `bakeoff show` and

```sh
bakeoff run --no-such-option
```
"""


def test_a_page_is_read_as_its_reader_does() -> None:
    module, script = blocks("page.md", SAMPLE)
    assert (module.line, module.file, module.appended, module.in_checkout) == (3, "harness/a.py", True, True)
    assert (script.line, script.file, script.in_checkout) == (9, None, True)
    assert list(commands(SAMPLE)) == ["bakeoff show"]


@pytest.mark.parametrize(
    ("language", "text", "fault"),
    [
        ("sh", "bakeoff run --no-such-option\n", click.NoSuchOption),
        ("sh", "while true; do\n", subprocess.CalledProcessError),
        ("python", "return return\n", SyntaxError),
        ("toml", "a = \n", tomllib.TOMLDecodeError),
        ("", "bakeoff show\n", AssertionError),
        ("rust", "", AssertionError),
    ],
)
def test_a_planted_fault_is_found_without_running(language: str, text: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        parse(Block("page.md", 1, language, text, ""))
