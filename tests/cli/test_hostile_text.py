"""Text of runs, cards and topics that tries to act on a terminal, a page, Markdown or a CI log is only shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support import Project, write_csv_card

from harness.errors import UsageError
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Curve, Phase, Record, Scalar, Seeds, Trial, Try
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard
from harness.store.read import encode
from harness.text import inert, inert_json, one_line

#: It writes the clipboard, names a link, closes a tag of rich, starts a command of GitHub, and is Markdown and HTML.
ACTS = (
    "\x1b]52;c;aGk=\x07\x9b31m\x7f\u202e\u2066\u200b [link=file:x]y[/link] [/] :100:\u2028::error::one\r\n"
    "::error::two\n##[error]three\n## @a/b\n| #1 | **x** `code` <img src=x> https://evil.example"
)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def acts(text: str) -> str:
    """Return a text that does everything."""
    return f"{text}{ACTS}"


TASK = "topic/task"


def header(run: str, day: int) -> Header:
    """Return a header that acts in every text; names, ids, versions and dates are refused if they could act."""
    cards = [StrategyCard(TASK, name, note=acts("note"), summary=acts("summary")) for name in "ab"]
    return Header(
        schema=SCHEMA,
        run=run,
        started=f"2026-01-{day:02d}T00:00:00+00:00",
        machine=Machine("box", cpu=acts("cpu"), kernel=acts(run), os=acts("os"), python=acts("python")),
        environment=Environment({"numpy": f"{day}.0"}, commit=f"{day}" * 40),
        selection=Selection(),
        plan="0",
        trials=99,
        command=acts("bakeoff run"),
        metrics=(JudgedMetric(TASK, "auc", "higher", acts("unit"), summary=acts("summary"), margin=0.01),),
        cards={"data": "ab" * 32},
        strategies=tuple(cards),
        references={TASK: "a"},
        tasks=(TaskCard(TASK, acts("title"), baseline=acts("b"), setup=("warm",), left_out=(acts("c"),)),),
    )


def record(name: str, block: int, cost: float, *, failed: bool = False) -> Record:
    params: dict[str, Scalar] = {"rows": 10, "kind": acts("kind")}
    options: dict[str, Scalar] = {"depth": acts("deep")}
    trial = Trial("topic", "task", name, "data", "clean", params, options, block, Seeds(block, 1, 2))
    if failed:
        return Record(trial, "failed", reason=acts("failed"))
    return Record(
        trial,
        "ok",
        phases={name: Phase([cost], [cost], peak_bytes=10**7) for name in ("fit", "warm")},
        metrics={"auc": 0.5 + cost / 100},
        curves={"loss": Curve([0.0, 1.0], [1.0, cost])},
        tries=[Try(options, 0.5)],
        choice=options,
        diverged=None,
    )


@pytest.fixture(scope="module")
def hostile(shared_project: Project) -> Project:
    """A folder with six runs, a card and a topic whose every text acts."""
    folder = shared_project.folder / "results" / "box"
    folder.mkdir(parents=True)
    for day in range(1, 7):
        factor = 1.0 if day < 4 else 3.0
        records = [
            record(name, block, cost * factor * (1 + block / 100))
            for block in range(3)
            for name, cost in (("a", 1.0), ("b", 2.0))
        ]
        records.append(record("c", 0, 1.0, failed=True))
        file = folder / f"2026010{day}T000000Z-nocommit-{day:06x}.jsonl"
        file.write_bytes(encode(header(f"{day:06x}", day)) + b"".join(map(encode, records)))
    write_csv_card(shared_project.folder / "datasets", "card")
    card = shared_project.folder / "datasets" / "card.toml"
    quoted = json.dumps(ACTS.replace("\x7f", "")).replace("\\u007f", "")
    card.write_text(card.read_text().replace('"T"', quoted).replace('"S"', quoted).replace('"internal"', quoted))
    (shared_project.folder / "acting.py").write_text(
        "from harness import Dataset, Metric, Judgement, Topic\n"
        f"topic = Topic('acting', title={ACTS!r})\n"
        f"data = Dataset('numbers', lambda params, rng: rng.random(9), summary={ACTS!r})\n"
        "metric = Metric('error', direction='lower', unit='1')\n"
        "judge = lambda data, output: Judgement({'error': 0.0})\n"
        f"task = topic.task('one', title={ACTS!r}, datasets=[data], phases=['fit'], metrics=[metric], judge=judge)\n"
        f"@task.strategy('fails', note={ACTS!r})\n"
        "def fails(problem, phase):\n"
        f"    {ACTS!r}\n"
        f"    raise RuntimeError({ACTS!r})\n"
    )
    (shared_project.folder / "bakeoff.toml").write_text('topics = ["acting.py"]\n')
    return shared_project


def assert_only_shown(text: str) -> None:
    assert not UNSEEN.findall(text)
    assert not re.findall(r"^\s*::.*|.*##\[.*", text, re.MULTILINE)
    # A shortcode of rich is no symbol here.
    assert "\N{HUNDRED POINTS SYMBOL}" not in text


def outside_of_scripts(page: str) -> str:
    return re.sub(r"<(script|style)[^>]*>.*?</\1>|\t", "", page, flags=re.DOTALL)


def assert_plain_markdown(text: str) -> None:
    """Assert that no name makes a heading, an element, a mention, a reference or an address outside of code spans."""
    assert_only_shown(text)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert all(
        re.match(r"## (Bakeoff|Gate): |### (topic/task|Why|What differs|How it was measured|Cases|Remarks)", line)
        for line in headings
    )
    prose = re.sub(r"(?<!\\)`[^`\n]*`", "", text)
    tags = set(re.findall(r"</?[a-z][^>]*>", prose))
    assert tags <= {"<details>", "</details>", "<summary>", "</summary>"}
    assert not re.search(r"https://|(?<!&)[@#]\w|(?<!\\)[\[\]]|(?<!\\)`", prose)
    assert "**x**" not in prose


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("show 000001", 0),
        ("show 000001 --json", 0),
        ("show 000001 --machine", 0),
        ("compare 000001 000006", 0),
        ("compare 000001 000006 --json", 0),
        ("history cpu_s", 0),
        ("history cpu_s --json", 0),
        ("query SQL", 0),
        ("query SQL --json", 0),
        ("gate 000001 000006", 1),
        ("gate 000001 000006 --json", 1),
        ("export pytest-benchmark 000001", 0),
        ("list", 0),
        ("list --json", 0),
        ("data list", 0),
        ("data list --json", 0),
        ("data get card", 0),
        ("run acting --blocks 1", 4),
        ("run acting --blocks 1 --json", 4),
        ("run acting --dry-run", 0),
    ],
)
def test_no_output_acts(hostile: Project, arguments: str, code: int) -> None:
    words = ["select * from trials" if word == "SQL" else word for word in arguments.split()]
    for width in ("60", "180"):
        done = hostile.bakeoff(*words, code=code, COLUMNS=width)
        assert_only_shown(done.stdout)
        assert_only_shown(done.stderr)


def test_a_summary_that_cannot_be_written_does_not_hide_the_verdict(hostile: Project, tmp_path: Path) -> None:
    gone = str(tmp_path / "none" / "summary.md")
    done = hostile.bakeoff("gate", "000001", "000006", code=1, GITHUB_STEP_SUMMARY=gone)
    assert done.stdout.splitlines()[-1].startswith("regressed: 2 of 3 cases")
    assert f"warning: cannot write the summary {gone}" in done.stderr
    page = str(tmp_path / "none" / "page.html" / "page.html")
    (tmp_path / "none").write_text("a file")
    done = hostile.bakeoff("gate", "000001", "000006", "--page", page, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: cannot write {page}")


@pytest.mark.parametrize("runs", [("000006",), ("000001", "000006")])
def test_markdown_is_only_that_of_the_report(hostile: Project, runs: tuple[str, ...]) -> None:
    assert_plain_markdown(hostile.bakeoff("report", *runs, "--format", "markdown").stdout)


def test_files_of_a_gate_hold_text_only(hostile: Project, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("junit", "markdown", "page", "summary")}
    options = [word for name in ("junit", "markdown", "page") for word in (f"--{name}", str(files[name]))]
    done = hostile.bakeoff(
        "gate", "000001", "000006", *options, code=1, GITHUB_STEP_SUMMARY=str(files["summary"]), GITHUB_ACTIONS="true"
    )
    texts = {name: file.read_bytes().decode() for name, file in files.items()}
    assert_plain_markdown(texts["markdown"])
    assert_plain_markdown(texts["summary"])
    assert_only_shown(texts["junit"])
    assert "\\x1b]52;c;aGk=\\x07\\x9b31m" in "".join(ET.fromstring(texts["junit"]).itertext())
    assert not UNSEEN.findall(outside_of_scripts(texts["page"]))
    # Commands of GitHub are those of the gate alone, each on a line of its own.
    commands = [line for line in done.stderr.splitlines() if "::error" in line]
    assert [line for line in commands if not line.startswith("::error title=")] == []
    assert not UNSEEN.findall(done.stderr)


def test_a_page_holds_text_only(hostile: Project, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    hostile.bakeoff("report", "000001", "000006", "-o", str(page))
    text = outside_of_scripts(page.read_bytes().decode())
    assert not UNSEEN.findall(text)
    assert "<img" not in text
    assert "\\x1b]52;c;aGk=\\x07\\x9b31m" in text


def test_errors_show_what_they_quote(hostile: Project) -> None:
    for arguments in (("show", ACTS), ("report", "--run", ACTS), ("data", "get", ACTS), ("history", ACTS)):
        assert_only_shown(hostile.bakeoff(*arguments, code=2).stderr)
    assert str(UsageError("no\x1b[2J\n::error::x")) == "no\\x1b[2J\n\\x3a:error::x"


def test_text_that_is_harmless_stays_as_it_is() -> None:
    for text in ("Zoë 5 µs \u2212 3 %\u00a0", "tests/a.py::test_b[x::y]", "# a :100: [bold] \\x1b", "a\n\tb"):
        assert inert(text) == text
    assert one_line(" a\n::b ") == "a ::b"
    assert one_line("::b") == "\\x3a:b"
    assert json.loads(inert_json(json.dumps(ACTS, ensure_ascii=False))) == ACTS
