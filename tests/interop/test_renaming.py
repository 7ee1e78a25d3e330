"""Names of other tools become valid names: each by its own text alone, and different texts have different names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.interop.reading import line
from harness.records import label, typed
from harness.store.imported_names import Expression, expression, identifier, scalar_of, scenario, slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("test_fast_sort", "test-fast-sort"),
        ("tests/bench/test_a", "tests-bench-test-a-"),
        ("test-fast-sort", "test-fast-sort-"),
        ("Flights", "flights-"),
        ("../../x", "x-"),
        ("<script>alert(1)</script>", "script-alert-1-script-"),
        ("日本", "unnamed-"),
        ("", "unnamed-"),
        ("test_0123abcd", "test-0123abcd-"),
    ],
)
def test_slug(text: str, name: str) -> None:
    assert slug(text).startswith(name)
    assert (len(slug(text)) == len(name)) == (not name.endswith("-"))


def test_names_of_declarations_stay() -> None:
    assert (slug("xgboost-hist", "-"), slug("xgboost_hist", "-")[:13]) == ("xgboost-hist", "xgboost-hist-")
    assert (scenario("label_noise(0.2)"), scenario("clean"), scenario("Clean")[:6]) == (
        "label_noise(0.2)", "clean", "clean-"
    )  # fmt: skip
    assert (identifier("n_rows"), identifier("N"), identifier("n rows")[:7]) == ("n_rows", "N", "n_rows_")


@given(st.lists(st.text(max_size=120) | st.text("aB_-/ 0", max_size=5), unique=True))
def test_names_are_fit_and_differ(texts: list[str]) -> None:
    for clean, pattern in ((slug, r"[a-z0-9]+(-[a-z0-9]+)*"), (identifier, r"[A-Za-z][A-Za-z0-9_]*")):
        names = [clean(text) for text in texts]
        assert len(set(names)) == len(texts)
        assert all(re.fullmatch(pattern, name) and len(name) <= 90 for name in names)


@given(st.text(max_size=20))
def test_a_text_written_like_a_name_does_not_take_it(text: str) -> None:
    for clean in (slug, identifier, scenario):
        taken = clean(text)
        assert taken == text or clean(taken) != taken
    assert scalar_of(text) == text or scalar_of(scalar_of(text)) != scalar_of(text)


numbers = st.booleans() | st.integers() | st.floats(allow_nan=False)
expressions = st.sampled_from(["None", "nan", "(1, 2)", "<class 'int'>", "True", "1"]).map(Expression)


@given(st.lists(numbers | expressions | st.text(max_size=5) | st.sampled_from(["1", "true", "None", "a,b", "a-b"])))
def test_values_differ_in_labels(values: list[Any]) -> None:
    kinds = {(isinstance(value, Expression), type(value).__name__, str(value)) for value in values}
    labels = {label("a", {"x": scalar_of(value)}) for value in values}
    assert len(labels) == len(kinds)
    assert all(not set("[],=\n") & set(typed(scalar_of(value))) for value in values)


def test_what_reads_as_itself_keeps_itself() -> None:
    assert [scalar_of(value) for value in (1, 2.5, "quick", "a-b", None, float("nan"))] == [
        1, 2.5, "quick", "a-b", "None", "nan"
    ]  # fmt: skip
    assert scalar_of(True) is True
    for text in ("1", "true", "a,b", "None", "v-0123abcd"):
        assert re.fullmatch(rf"{text.replace(',', '-')}-[0-9a-f]{{8}}", str(scalar_of(text)))
    assert scalar_of("3.11", in_label=False) == "3.11"


def test_sets_are_the_same_in_every_order() -> None:
    assert expression("frozenset({'b', 'a'})") == expression("frozenset({'a', 'b'})") == "frozenset({'a', 'b'})"
    assert expression("[{(2, 'x'), (1, 'y')}, {3}]") == expression("[{(1, 'y'), (2, 'x')}, {3}]")
    assert expression("{<A>, <B>}") == "{<A>, <B>}"
    assert expression("{" * 9_000) == "{" * 9_000
    assert expression("{'b': 1, 'a': 2}") == "{'b': 1, 'a': 2}"


def test_long_lines_can_be_told_apart() -> None:
    one, other = line("a" * 200 + "b"), line("a" * 200 + "c")
    assert one != other
    assert len(one) == len(other) == 200
    assert line("a" * 200) == "a" * 200
