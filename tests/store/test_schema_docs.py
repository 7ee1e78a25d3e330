"""docs/schema.md describes the format that the code writes and reads."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.declare import Chart, Work
from harness.measure.fitness import Noise
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Conditions, Curve, Phase, Record, Seeds, Trial, Try
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard, decode_header
from harness.store.load import tables
from harness.store.noise import StoredNoise
from harness.store.runs import create

FILE = Path(__file__).parents[2] / "docs" / "schema.md"
PAGE = FILE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
STRUCTS: dict[str, type[msgspec.Struct]] = {
    "Header": Header,
    "Machine": Machine,
    "Environment": Environment,
    "Selection": Selection,
    "Metric": JudgedMetric,
    "Strategy": StrategyCard,
    "Task": TaskCard,
    "Chart": Chart,
    "Work": Work,
    "Record": Record,
    "Try": Try,
    "Trial": Trial,
    "Seeds": Seeds,
    "Phase": Phase,
    "Curve": Curve,
    "Conditions": Conditions,
}
FIRST, SECOND = re.findall(r"^\{.*\}$", SECTIONS["An example, shortened"], re.MULTILINE)


def documented(title: str) -> list[str]:
    """Return the fields that open the items of a section's list."""
    items = re.findall(r"^- ((?:`\w+`(?:, )?)+) \(", SECTIONS[title], re.MULTILINE)
    return [name for item in items for name in re.findall(r"`(\w+)`", item)]


@pytest.mark.parametrize("title", STRUCTS)
def test_a_section_names_every_field_once_and_no_other(title: str) -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(STRUCTS[title])]
    assert sorted(documented(title)) == sorted(fields)


def test_the_page_states_the_version() -> None:
    assert f"`major.minor`; now `{SCHEMA}`" in SECTIONS["Header"]


def test_the_page_states_every_status() -> None:
    words = re.findall(r"^  - `(\w+)`:", SECTIONS["Record"], re.MULTILINE)
    assert set(words) == {"ok", "failed", "timeout", "memory", "skipped"}


def test_the_example_is_read_and_has_no_unknown_key() -> None:
    header = decode_header(FIRST.encode(), FILE)
    record = msgspec.json.decode(SECOND, type=Record)
    assert header.schema == SCHEMA
    assert header.trials == 1
    assert contains(msgspec.to_builtins(header), json.loads(FIRST))
    assert contains(msgspec.to_builtins(record), json.loads(SECOND))


def contains(whole: Any, part: Any) -> bool:
    """Return whether everything in `part` came through decoding, except fields that are left out at their default."""
    if isinstance(part, dict):
        return all(name in whole and contains(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


def test_the_key_is_made_as_the_page_says() -> None:
    record = msgspec.json.decode(SECOND, type=Record)
    trial = json.loads(SECOND)["trial"]
    assert "[[topic, task, strategy, dataset, scenario], params, options]" in SECTIONS["The key of a trial"]
    names = [trial[name] for name in ("topic", "task", "strategy", "dataset", "scenario")]
    content = json.dumps([names, trial["params"], trial["options"]], sort_keys=True, separators=(",", ":"))
    key = f"{hashlib.blake2b(content.encode(), digest_size=5).hexdigest()}-{trial['block']}"
    assert record.trial.key == key
    assert f"is `{key}`" in SECTIONS["The key of a trial"]


def test_the_page_names_every_key_of_the_noise_floor() -> None:
    named = re.findall(r"^  - `([\w.]+)`:", SECTIONS["Other files in the results folder"], re.MULTILINE)
    fields = [*StoredNoise.__struct_fields__, *(f"noise.{name}" for name in Noise.__struct_fields__)]
    assert sorted(named) == sorted(name for name in fields if name != "noise")


def test_the_page_names_every_column_of_the_tables(
    tmp_path: Path, make_header: Callable[..., Header], make_record: Callable[..., Record]
) -> None:
    with create(tmp_path, make_header()) as run:
        run.write(make_record())
    frames = tables(tmp_path)
    text = SECTIONS["Tables"].replace("<phase>.", "fit.")
    named = {*re.findall(r"`([\w.]+)`", text)}
    columns = {*frames.trials, *frames.samples, *frames.runs}
    assert columns - named == {"rows", "threads", "max_bin", "auc"}  # parameters, an option and a metric
    assert named - columns == {"trials", "samples", "runs", "fit"}  # the tables, and a phase
