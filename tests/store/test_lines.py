from __future__ import annotations

import io
import math
from collections.abc import Callable
from decimal import Context
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.records import Conditions, Curve, Phase, Record, Seeds, Trial
from harness.store.header import Header
from harness.store.read import Reader, encode

Make = Callable[..., Any]

finite = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.just(0.0) | st.floats(1e-17, 1e18)
words = st.text(max_size=8)
names = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,3})?", fullmatch=True)
keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | finite | words
naturals = st.integers(0, 2**62)
floats = st.lists(finite, max_size=3)
times = st.lists(amounts, min_size=2, max_size=2)
trials = st.builds(
    Trial,
    *[names] * 5,
    params=st.dictionaries(keys, scalars, max_size=3),
    options=st.dictionaries(keys, scalars, max_size=3),
    block=naturals,
    seeds=st.builds(Seeds, naturals, naturals, naturals),
)
phases = st.builds(Phase, times, times, peak_bytes=st.none() | naturals, device_bytes=st.none() | naturals)
records = st.builds(
    Record,
    trial=trials,
    status=st.sampled_from(["ok", "failed", "timeout", "memory", "skipped"]),
    reason=words,
    phases=st.dictionaries(keys, phases, max_size=2),
    metrics=st.dictionaries(keys, st.floats(-1e100, 1e100), max_size=3),
    curves=st.dictionaries(
        keys, st.builds(lambda y: Curve(x=[float(i) for i in range(len(y))], y=y), floats), max_size=2
    ),
    conditions=st.none() | st.builds(Conditions, amounts, amounts, amounts, times, naturals, naturals),
    cores=st.lists(naturals, max_size=2),
    memory_source=st.sampled_from([None, "exact", "quiet", "sampled"]),
    started=words,
    elapsed_s=amounts,
)


def six_digits(value: Any) -> Any:
    """Round as decimal arithmetic does, independently of formatting."""
    if isinstance(value, float):
        return float(Context(prec=6).create_decimal_from_float(value))
    if isinstance(value, dict):
        return {name: six_digits(part) for name, part in value.items()}
    return [six_digits(part) for part in value] if isinstance(value, list) else value


def reread(header: Header, *lines: bytes) -> list[Record]:
    return list(Reader(Path("run.jsonl"), io.BytesIO(b"".join([encode(header), *lines]))))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(record=records)
def test_a_record_comes_back_with_six_digits_and_its_trial_untouched(make_header: Make, record: Record) -> None:
    line = encode(record)
    assert line.index(b"\n") == len(line) - 1
    (back,) = reread(make_header(), line)
    assert back.trial == record.trial
    assert back.trial.key == record.trial.key
    plain = msgspec.to_builtins(record)
    trial = plain.pop("trial")
    assert msgspec.to_builtins(back) == six_digits(plain) | {"trial": trial}
    assert encode(back) == line


def test_a_header_comes_back_with_its_selection_untouched(make_header: Make) -> None:
    header = make_header(machine=msgspec.structs.replace(make_header().machine, cpu_quota=1.23456789))
    reader = Reader(Path("run.jsonl"), io.BytesIO(encode(header)))
    assert reader.header.machine.cpu_quota == 1.23457
    assert reader.header.selection.values == {"rate": (0.12345678,)}
    assert msgspec.structs.replace(reader.header, machine=header.machine) == header


def test_what_json_cannot_say_is_left_out(make_header: Make, make_record: Make) -> None:
    record = make_record(
        metrics={"auc": 0.5, "lost": math.nan, "endless": -math.inf},
        curves={
            "loss": Curve(x=[1.0, 2.0, math.inf, 4.0], y=[1.0, math.nan, 3.0, 4.0]),
            "band": Curve([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, math.nan, 2.0], [2.0, 3.0, 4.0]),
        },
        elapsed_s=math.nan,
    )
    (back,) = reread(make_header(), encode(record))
    assert back.metrics == {"auc": 0.5}
    assert back.curves == {
        "loss": Curve(x=[1.0, 4.0], y=[1.0, 4.0]),
        "band": Curve([1.0, 3.0], [1.0, 3.0], [0.0, 2.0], [2.0, 4.0]),
    }
    assert back.elapsed_s == 0.0


def test_unknown_keys_are_ignored(make_header: Make, make_record: Make) -> None:
    header, record = make_header(schema="1.9"), make_record()
    lines = [encode(value).replace(b"{", b'{"later":{"x":[1]},', 1) for value in (header, record)]
    reader = Reader(Path("run.jsonl"), io.BytesIO(b"".join(lines)))
    assert reader.header == header
    assert list(reader) == [record]


def test_a_newer_major_version_is_refused(make_header: Make) -> None:
    with pytest.raises(UsageError, match=r"^run.jsonl has schema 2.0, .* reads up to 1.4: update bakeoff$"):
        Reader(Path("run.jsonl"), io.BytesIO(encode(make_header(schema="2.0"))))


@pytest.mark.parametrize("first", [b"{}\n", b"\xff\n", b"[1\n", b'{"schema":"one"}\n', b'{"schema":"1.0"}\n'])
def test_a_file_of_something_else_is_refused(first: bytes) -> None:
    with pytest.raises(UsageError, match=r"^run.jsonl is not a run of bakeoff: its first line is not a header"):
        Reader(Path("run.jsonl"), io.BytesIO(first))


@pytest.mark.parametrize("start", [b"", b'{"schema":"1.0"'])
def test_a_torn_header_is_refused(start: bytes) -> None:
    with pytest.raises(UsageError, match="no complete header"):
        Reader(Path("run.jsonl"), io.BytesIO(start))


@pytest.mark.parametrize("torn", [b'{"trial":{"topic"', b"\0" * 4096, b"\0" * 40 + b'"elapsed_s":1}\n', b"\xff\n"])
def test_a_torn_last_line_is_absent(make_header: Make, make_record: Make, torn: bytes) -> None:
    whole = encode(make_header()) + encode(make_record())
    reader = Reader(Path("run.jsonl"), io.BytesIO(whole + torn))
    assert list(reader) == [make_record()]
    assert reader.size == len(whole)


@pytest.mark.parametrize("damage", [b'{"trial":\n', b"\0\0\n", b'{"status":"ok"}\n', b"\xff\n"])
def test_a_damaged_middle_line_is_named(make_header: Make, make_record: Make, damage: bytes) -> None:
    with pytest.raises(UsageError, match=r"^run.jsonl, line 3 is damaged \(.*\): restore the file or delete the line$"):
        reread(make_header(), encode(make_record(0)), damage, encode(make_record(1)))


def test_a_whole_last_line_of_a_wrong_shape_is_damage(make_header: Make) -> None:
    with pytest.raises(UsageError, match="line 2 is damaged"):
        reread(make_header(), b'{"status":"ok"}\n')
