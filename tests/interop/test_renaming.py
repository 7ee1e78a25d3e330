"""Names of other tools become valid names, and two different ones never become the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.interop.reading import identifier, line, slug, typed_text, unique, unique_values
from harness.records import label, typed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("test_fast_sort", "test-fast-sort"),
        ("tests/bench/test_a", "tests-bench-test-a"),
        ("../../x", "x"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("日本", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_slug(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.lists(st.text(max_size=120), unique=True))
def test_names_are_fit_and_differ(texts: list[str]) -> None:
    for clean, pattern in ((slug, r"[a-z0-9]+(-[a-z0-9]+)*"), (identifier, r"[a-z][a-z0-9_]*")):
        names = unique(texts, clean)
        assert len(set(names.values())) == len(texts)
        assert all(re.fullmatch(pattern, name) and len(name) <= 90 for name in names.values())


@given(st.lists(st.text(max_size=8), unique=True), st.randoms())
def test_names_depend_on_no_order(texts: list[str], random: Any) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert unique(texts) == unique(shuffled)


@given(st.lists(st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.none())))
def test_values_differ_in_labels(values: list[Any]) -> None:
    found = unique_values(values)
    labels = [label("a", {"x": value}) for value in found.values()]
    assert len(set(labels)) == len({typed_text(value) for value in values})
    assert all(not set("[],=\n") & set(typed(value)) for value in found.values())


def test_numbers_keep_themselves() -> None:
    found = unique_values([1, True, 2.5, "1", "quick", float("nan")])
    assert found[typed_text(1)] == 1
    assert found[typed_text(True)] is True
    assert found[typed_text(2.5)] == 2.5
    assert str(found[typed_text("1")]).startswith("1-")
    assert found[typed_text("quick")] == "quick"
    assert found[typed_text(float("nan"))] == "nan"


def test_long_lines_can_be_told_apart() -> None:
    one, other = line("a" * 200 + "b"), line("a" * 200 + "c")
    assert one != other
    assert len(one) == len(other) == 200
    assert line("a" * 200) == "a" * 200
