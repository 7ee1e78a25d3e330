"""The command ``bakeoff``: it imports the subcommand and turns errors into one sentence and an exit code."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import NoReturn

import click

from harness.cli.streams import Streams
from harness.errors import BakeoffError, Exit
from harness.text import inert

#: The commands with their first lines of help, so that ``--help`` imports none of them.
_COMMANDS = {
    "list": "Show topics, tasks, strategies, scenarios and data sets.",
    "run": "Measure a selection and say what to take.",
    "show": "Show one run: its machine and its comparison tables.",
    "compare": "Compare two runs, strategy by strategy.",
    "claims": "Judge the claims of the literature on what was measured.",
    "report": "Write runs as one self-contained HTML page.",
    "gate": "Decide whether a candidate is slower, bigger or worse than its base.",
    "ci": "Print the workflow that runs the gate in CI, or its script.",
    "baseline": "Name runs that others are compared with.",
    "history": "Follow a measure over runs, with the changes of its level.",
    "import": "Turn figures of asv or pytest-benchmark into runs.",
    "export": "Write a run in the format of asv or pytest-benchmark.",
    "query": "Run SQL over all runs (tables trials, samples, runs).",
    "doctor": "Say whether this machine is fit to measure.",
    "data": "Show data sets: their cards, their files, their checksums; fetch files.",
}


class _Commands(click.Group):
    """Imports the module of a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.{name}_command")
        command = module.command
        return command if isinstance(command, click.Command) else super().get_command(ctx, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="bakeoff")
def bakeoff(*, debug: bool) -> None:
    """Measure speed, memory and quality of competing machine-learning techniques side by side.

    Exit codes: 0 done; 1 the answer is no; 2 bad input; 3 a fault of ours; 4 a trial failed; 5 nothing selected;
    6 inconclusive; 130 interrupted.
    """
    del debug  # read in main(), where errors arrive


def main() -> NoReturn:
    """Run the command line and exit."""
    debug, streams = "--debug" in sys.argv[1:], Streams()
    try:
        code = bakeoff.main(standalone_mode=False)
    except click.exceptions.Exit as request:
        code = request.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = Exit.USAGE
    except click.ClickException as error:
        _say(f"error: {error.format_message()}")
        code = Exit.USAGE
    except (KeyboardInterrupt, click.Abort):
        code = Exit.INTERRUPTED
    except BakeoffError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error}")
        code = error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"fault of bakeoff itself: {type(error).__name__}: {error}; run again with --debug for the traceback")
        code = Exit.FAULT
    if reason := streams.lost():
        _say(f"error: standard output cannot be written ({reason}), and a part of it is lost: give it another place")
        # What a command without a verdict printed was all that it was for.
        code = Exit.USAGE if code is None else code
    sys.exit(int(code or 0))


def _say(sentence: str) -> None:
    click.echo(inert(" ".join(sentence.split())), err=True)
