"""The list of commands that ``bakeoff --help`` prints without importing them."""

from __future__ import annotations

import click
import pytest
from support import Project, fresh_process

from harness.cli.main import _COMMANDS, bakeoff

IMPORTED = """
import io, json, sys
from contextlib import redirect_stdout, suppress
from harness.cli.main import main
sys.argv = ["bakeoff", "--help"]
with redirect_stdout(io.StringIO()), suppress(SystemExit):
    main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_is_listed_with_its_own_first_line(name: str) -> None:
    command = bakeoff.get_command(click.Context(bakeoff), name)
    assert command is not None
    assert command.get_short_help_str(limit=200) == _COMMANDS[name]


def test_help_lists_the_commands(project: Project) -> None:
    lines = project.bakeoff("--help").stdout.splitlines()
    listed = [
        line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.startswith("  ") and line[2] != " "
    ]
    assert listed == list(_COMMANDS)


def test_help_imports_no_library_but_click() -> None:
    assert not {"msgspec", "numpy", "pandas", "psutil", "rich", "scipy"} & set(fresh_process(IMPORTED))
