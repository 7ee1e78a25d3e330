"""``bakeoff claims``: the claims of the literature, judged on what was measured here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.cli.waiting import reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console, RenderableType

    from harness.analysis.run_set import RunSet
    from harness.claims import Judged, TrackedVerdict
    from harness.config import Config
    from harness.declare import Topic

_NOT_MEASURED: Final = "not measured"
_COLOURS = {"supported": "green", "refuted": "red", "inconclusive": "yellow", _NOT_MEASURED: "dim"}


@click.command("claims", short_help="Judge the claims of the literature on what was measured.")
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--run", "runs", multiple=True, help="Judge on this run; several may be given. By default on all.")
@click.option("--commands", is_flag=True, help="Show the commands that measure each claim.")
@json_option
def command(*, topics: tuple[str, ...], runs: tuple[str, ...], commands: bool, as_json: bool) -> None:
    """Judge the claims of TOPICs on the runs of the results folder.

    By default it judges those of the project's topics, or of all topics in a folder without topics of its own.

    A claim is supported if the whole 95 % interval of the measured effect is inside of what it expects, refuted if the
    whole interval is outside, and inconclusive otherwise. A verdict is valid for the data, sizes and machine beside it.
    `bakeoff run TOPIC --profile claims` measures what the claims need. What was not measured here is shown with
    the tracked verdict that comes with bakeoff, and the machine and run that it is from.
    """
    from harness.analysis.run_set import read_run_set
    from harness.claims import tracked_verdicts
    from harness.errors import UsageError, did_you_mean
    from harness.registry import load_registry

    settings = config()
    registry = load_registry(settings)
    for name in topics:
        if name not in registry.topics:
            raise UsageError(f"there is no topic {name!r}{did_you_mean(name, registry.topics)}")
    paths = _paths(settings, runs)
    wanted = topics or [topic.name for topic in registry.default_topics() if topic.claims]
    chosen = [topic for name, topic in registry.topics.items() if name in wanted]
    with reading(paths) as one:
        run_set = read_run_set(paths, read=one)
        judged = {topic.name: _judged(topic, run_set) for topic in chosen}
    if not paths:
        log().print(f"note: {settings.results_folder} has no runs", soft_wrap=True)
    for remark in run_set.incomparable:
        log().print(f"note: {remark}", soft_wrap=True)
    tracked = tracked_verdicts()
    if as_json:
        measured = [{"run": header.run, "machine": header.machine.name} for header in run_set.headers]
        claims = [_plain(claim, tracked) for claims in judged.values() for claim in claims]
        print_json({"runs": measured, "claims": claims})
        return
    out = console()
    for topic in chosen:
        _print_topic(out, topic, judged[topic.name], _runs(run_set), tracked, commands=commands)


def _paths(settings: Config, names: tuple[str, ...]) -> list[Path]:
    from harness.store.runs import find_all, runs

    if not names:
        return runs(settings.results_folder)
    return find_all(settings.results_folder, names)


def _judged(topic: Topic, run_set: RunSet) -> list[Judged]:
    from harness.claims import judge

    return judge(topic, run_set.comparable, run_set.noise_sd)


def _plain(claim: Judged, tracked: Mapping[str, TrackedVerdict]) -> dict[str, Any]:
    import msgspec

    return {**msgspec.structs.asdict(claim), "tracked": tracked.get(claim.declaration)}


def _print_topic(
    out: Console,
    topic: Topic,
    judged: list[Judged],
    runs: str,
    tracked: Mapping[str, TrackedVerdict],
    *,
    commands: bool,
) -> None:
    """Print a topic's claims in the order of their declaration, first those that were measured."""
    from harness.declare.evidence import Verdict
    from harness.report.terminal import Styled, joined

    counts = Counter(claim.verdict for claim in judged)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict) if counts[verdict])
    out.print(joined(Styled(topic.name, "bold"), f"  {topic.title}"), soft_wrap=True)
    out.print(f"{counted or 'no claims are declared'}; judged on {runs}", soft_wrap=True)
    if counts[_NOT_MEASURED]:
        out.print(f"bakeoff run {topic.name} --profile claims measures what was not measured", soft_wrap=True)
    out.print()
    for claim in sorted(judged, key=lambda claim: claim.verdict == _NOT_MEASURED):
        known = tracked.get(claim.declaration)
        out.print(_unmeasured(claim, known) if claim.verdict == _NOT_MEASURED else _measured(claim))
        for line in claim.commands if commands else ():
            # A line to be copied is not wrapped.
            out.print(line, soft_wrap=True)
        out.print()


def _runs(run_set: RunSet) -> str:
    if not run_set.headers:
        return "no runs"
    machines = sorted({header.machine.name for header in run_set.headers})
    names = list(dict.fromkeys(header.run for header in run_set.headers))
    runs = f"run {names[0]}" if len(names) == 1 else f"{len(names)} runs"
    return f"{runs} on {', '.join(machines)}"


def _unmeasured(claim: Judged, known: TrackedVerdict | None) -> RenderableType:
    """Lay out a claim that was not measured: its sentence, and the tracked verdict or else the reason."""
    from rich.console import Group
    from rich.padding import Padding

    from harness.report.terminal import Styled, joined

    if known is None:
        said = joined(Styled(f"{_NOT_MEASURED}: {claim.reason}", _COLOURS[_NOT_MEASURED]))
    else:
        found = f", {_effect(known)} on {known.machine}, run {' and '.join(known.runs)}"
        said = joined("tracked: ", Styled(known.verdict, _COLOURS[known.verdict]), found)
    return Group(joined(Styled(claim.text, "bold")), Padding(said, (0, 0, 0, 2), expand=False))


def _measured(claim: Judged) -> RenderableType:
    """Lay out a claim that was measured, the verdict first."""
    from rich.table import Table

    from harness.declare.evidence import Verdict
    from harness.report.terminal import Styled, joined

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=max(map(len, get_args(Verdict))))
    table.add_column(overflow="fold")
    table.add_row(joined(Styled(claim.verdict, _COLOURS[claim.verdict])), _body(claim))
    return table


def _body(claim: Judged) -> RenderableType:
    """Lay a claim out: its sentence, and a line for each of its details."""
    from rich.console import Group
    from rich.table import Table

    from harness.report.terminal import Styled, joined

    lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    lines.add_column(no_wrap=True, style="dim", min_width=len("published"))
    lines.add_column(overflow="fold")
    for name, text in _lines(claim):
        lines.add_row(name, text)
    return Group(joined(Styled(claim.text, "bold")), lines)


def _lines(claim: Judged) -> list[tuple[str, str]]:
    blocks = "" if claim.same else f", {claim.blocks} block{'' if claim.blocks == 1 else 's'}"
    found = [("asked", f"{claim.asked}: {claim.expected}")] if claim.asked else []
    found += [("measured", f"{_effect(claim)}{blocks}")] if claim.estimate is not None else []
    found += [("because", claim.reason)] if claim.reason else []
    found += [("published", claim.published)] if claim.published else []
    found.append(("source", claim.source))
    found += [("scope", claim.scope)] if claim.scope else []
    return found


def _effect(claim: Judged) -> str:
    from harness.analysis import wording

    plain = {name: getattr(claim, name) for name in ("estimate", "low", "high", "blocks", "same")}
    signed = claim.asked.startswith("difference")
    interval = wording.interval(plain, cost=claim.cost, signed=signed)
    return f"{wording.effect(plain, cost=claim.cost, signed=signed)} {interval}".strip()
