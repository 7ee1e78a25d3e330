"""Values typed on the command line."""

from __future__ import annotations

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.params import Setting, Size
from harness.records import Scalar, scalar


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("500MB", 500_000_000),
        ("500m", 500_000_000),
        ("2GiB", 2_147_483_648),
        ("2gib", 2_147_483_648),
        ("1.5kB", 1500),
        ("0.5 KiB", 512),
        (" 3T ", 3_000_000_000_000),
        ("1TiB", 1_099_511_627_776),
        ("12b", 12),
    ],
)
def test_size(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "0", "0.0GB", "-1", "1e6", "5XB", "MB", "1 2", "1,5GB", "nan", "inf", "1GBB"])
def test_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"invalid size .*: write for example 500MB or 2GiB"):
        Size().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("exact", "exact"),
        ("0x10", "0x10"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalar(text: str, value: Scalar) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


@settings(deadline=None)
@given(value=st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_scalar_reads_what_python_writes(value: float) -> None:
    found = scalar(str(value).lower())
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("rows=1000", "rows", (1000,)),
        ("rows=1000,10", "rows", (1000, 10)),
        ("rows=1, 2 ,1", "rows", (1, 2)),
        ("max_bin=64,256", "max_bin", (64, 256)),
        ("kind=a=b", "kind", ("a=b",)),
        ("rate=0.1", "rate", (0.1,)),
    ],
)
def test_setting(text: str, name: str, values: tuple[Scalar, ...]) -> None:
    assert Setting().convert(text, None, None) == (name, values)


@pytest.mark.parametrize(
    "text", ["", "rows", "rows=", "=1", "Rows=1", "rows =1", "rows=1,", "rows=,1", "1rows=1", "a-b=1"]
)
def test_no_setting(text: str) -> None:
    with pytest.raises(
        click.BadParameter, match=r"invalid setting .*: write name=value, as in rows=100000 or max_bin=64,256"
    ):
        Setting().convert(text, None, None)
