"""Texts as numbers: alphabets, pieces of test text, and text from another source."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Texts, TextSplit, UsageError
from harness.data.cards import builtin_card, dataset
from harness.topics.normalization import claims_language, corpus
from harness.topics.normalization.corpus import Corpus, alphabet_of, encode, prepare, visible
from harness.topics.normalization.recipes import RECIPES

PARAMS = {"context": 4, "windows": 50}


def _split(train: tuple[str, ...], test: tuple[str, ...]) -> TextSplit:
    return TextSplit(Texts(train), Texts(test))


def _prepared(seed: int = 0) -> Corpus:
    data = _split(("in the beginning", "was the word"), ("the end is near", "was the word", "zebra!"))
    return prepare(data, PARAMS, np.random.default_rng(seed))


def _decoded(ids: np.ndarray, alphabet: str) -> str:
    return "".join("?" if number == 0 else alphabet[number - 1] for number in ids)


@given(st.text(max_size=100))
def test_encoding_is_undone_by_the_alphabet(text: str) -> None:
    assert _decoded(encode(text, alphabet_of(text)), alphabet_of(text)) == text


def test_unknown_characters_are_0_and_the_alphabet_is_sorted() -> None:
    assert alphabet_of("banana\n") == "\nabn"
    assert encode("ab é😀n", "\nabn").tolist() == [2, 3, 0, 0, 0, 4]


def test_an_alphabet_has_at_most_the_255_most_frequent_characters() -> None:
    rare = "".join(map(chr, range(1_000, 1_300)))
    alphabet = alphabet_of(rare + "zzyy")
    assert len(alphabet) == 255
    assert {"y", "z"} <= set(alphabet)
    assert encode(rare + "yz", alphabet).max() == 255


def test_targets_are_the_test_text_shifted_by_one() -> None:
    data = _prepared()
    assert data.test.shape == data.targets.shape == (50, 4)
    assert (data.test[:, 1:] == data.targets[:, :-1]).all()
    # Each piece with its last target is a part of the held-out text.
    held = "the end is near\nzebra!"
    for piece, following in zip(data.test, data.targets, strict=True):
        text = _decoded(np.append(piece, following[-1]), data.alphabet).replace("?", ".")
        assert any(
            all(one in (other, ".") for one, other in zip(text, held[start:], strict=False))
            for start in range(len(held) - 4)
        )


def test_a_test_text_that_is_also_a_training_text_is_left_out() -> None:
    data = prepare(_split(("abcdef", "xyz"), ("xyz", "fedcba")), PARAMS, np.random.default_rng(0))
    shown = {_decoded(piece, data.alphabet) for piece in data.test}
    assert shown <= {"fedc", "edcb"}
    assert _decoded(data.train, data.alphabet) == "abcdef\nxyz"


def test_pieces_come_from_the_generator_alone() -> None:
    one, again, other = _prepared(1), _prepared(1), _prepared(2)
    assert (one.test == again.test).all()
    assert (one.targets == again.targets).all()
    assert (one.test != other.test).any()


@pytest.mark.parametrize(
    ("train", "test", "name"), [(("ab",), ("abcdefgh",), "training"), (("abcdefgh",), ("ab",), "test")]
)
def test_a_text_shorter_than_the_context_is_one_sentence(
    train: tuple[str, ...], test: tuple[str, ...], name: str
) -> None:
    with pytest.raises(UsageError, match=f"the {name} text has 2 characters, but context=4 needs at least 5"):
        prepare(_split(train, test), PARAMS, np.random.default_rng(0))


def test_strategies_do_not_see_targets() -> None:
    data = _prepared()
    seen = visible(data)
    assert seen.targets.size == 0
    assert seen.test is data.test


@pytest.fixture
def dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a dictionary of our own in place of the one that is fetched, and return its text."""
    import msgspec

    from harness.data.cards import builtin_card

    text = "the word \u2019 is here\nand there\n" * 20
    place, content = tmp_path / "words.txt.gz", gzip.compress(text.encode("cp1252"))
    place.write_bytes(content)
    card = builtin_card("gcide")
    assert card.file is not None
    sha256 = hashlib.sha256(content).hexdigest()
    file = msgspec.structs.replace(card.file, path=str(place), sha256=sha256, bytes=len(content))
    changed = msgspec.structs.replace(card, file=file)
    monkeypatch.setattr(corpus, "builtin_card", lambda _name: changed)
    corpus._dictionary.cache_clear()
    return text


def test_a_share_of_the_test_text_comes_from_the_dictionary(dictionary: str) -> None:
    data = _prepared()
    (stress,) = corpus.STRESS
    altered = stress.alter(data, 50, np.random.default_rng(3))
    assert (altered.test[25:] == data.test[25:]).all()
    assert (altered.targets[25:] == data.targets[25:]).all()
    whole = encode(dictionary, data.alphabet).tobytes()
    for piece, following in zip(altered.test[:25], altered.targets[:25], strict=True):
        assert bytes([*piece, following[-1]]) in whole
    assert altered.train is data.train
    corpus._dictionary.cache_clear()


@pytest.mark.usefixtures("dictionary")
def test_a_damaged_dictionary_says_how_to_fetch_it_again(tmp_path: Path) -> None:
    (tmp_path / "words.txt.gz").write_bytes(b"damaged")
    with pytest.raises(UsageError, match=r"is not the file that the card of data set gcide describes.*data get gcide"):
        corpus.from_dictionary(_prepared(), 100, np.random.default_rng(0))


@pytest.mark.usefixtures("dictionary")
def test_without_the_dictionary_its_test_sets_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "words.txt.gz").unlink()
    assert [stress.alter(_prepared(), 50, np.random.default_rng(0)) for stress in corpus.STRESS] == [None]


def test_blocks_overlap_by_the_characters_that_are_tested() -> None:
    """Of 100 texts of 9 characters, 2 pieces of 9 are tested: with line ends, two texts less a little."""
    learned, tested = (Texts(tuple(f"{number:09}" for number in some)) for some in (range(20), range(20, 40)))
    made = prepare(TextSplit(learned, tested, rows=100), {"context": 9, "windows": 2}, np.random.default_rng(0))
    assert made.overlap == pytest.approx(1.8 / 98.2, rel=0.01)


def test_claims_about_three_million_characters_have_a_text_as_long() -> None:
    """Their words say how many characters are read, and how long the text is, in all and for each parameter."""
    pytest.importorskip("torch")
    from harness.topics._shared.deep import parameter_count
    from harness.topics.normalization.engine import learning

    params = {**claims_language.LONG, "context": corpus.PARAMS["context"].default}
    assert np.prod([int(params[name]) for name in ("steps", "batch", "context")]) == pytest.approx(3e6, rel=0.01)
    for rows, length, ratio in ((claims_language.WHOLE, 3e6, 9), (claims_language.TENTH, 3e5, 0.9)):
        split = dataset(builtin_card("kjv")).load({"rows": rows}, np.random.default_rng(0))
        data = prepare(split, params, np.random.default_rng(0))
        assert len(data.train) == pytest.approx(length, rel=0.01)
        for recipe in RECIPES:
            if recipe.name in ("dyt", "pre-ln"):
                parameters = parameter_count(learning.model_of(recipe, data, params, "cpu"))
                assert len(data.train) / parameters == pytest.approx(ratio, rel=0.05)
