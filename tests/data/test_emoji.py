"""The file emoji.npz is what its card says, and its script does what the card says of it."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from harness.data.cards import builtin_card, builtin_folder, dataset
from harness.data.files import check
from harness.data.readers.arrays import Arrays
from harness.errors import UsageError


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_emoji", builtin_folder() / "make_emoji.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made() -> Arrays:
    card = builtin_card("emoji")
    check(card)
    arrays = dataset(card).load({}, np.random.default_rng(0))
    assert isinstance(arrays, Arrays)
    return arrays


@pytest.fixture(scope="module")
def names(made: Arrays) -> list[str]:
    return [" ".join(made["words"][row[row > 0]]) for row in made["text"]]


def test_arrays_have_the_types_and_classes_of_the_card(made: Arrays) -> None:
    types = {name: array.dtype.kind for name, array in made.arrays.items()}
    unsigned = dict.fromkeys(("image", "image_shifted", "text", "labels"), "u")
    assert types == {**unsigned, "words": "U", "classes": "U", "groups": "i"}
    assert made["image"].shape == made["image_shifted"].shape == (1_629, 32, 32, 3)
    assert (
        made["classes"].tolist()
        == sorted(set(made["classes"]))
        == [
            "Activities",
            "Animals & Nature",
            "Food & Drink",
            "Objects",
            "People & Body",
            "Smileys & Emotion",
            "Symbols",
            "Travel & Places",
        ]
    )
    assert np.bincount(made["labels"]).tolist() == [85, 153, 135, 262, 385, 168, 223, 218]


def test_names_are_words_padded_on_the_right(made: Arrays, names: list[str]) -> None:
    text, words = made["text"], made["words"]
    assert ((text[:, 1:] == 0) | (text[:, :-1] > 0)).all()
    assert (text[:, 0] > 0).all()
    # Every word is used, and none has two numbers.
    assert set(np.unique(text)) == set(range(len(words)))
    assert words.tolist() == ["", *sorted(set(words[1:]))]
    assert {"grinning face", "rescue workers helmet", "man in tuxedo", "keycap 5"} <= set(names)


def test_variants_are_in_one_group_and_groups_in_one_class(made: Arrays, names: list[str]) -> None:
    groups, labels = made["groups"], made["labels"]
    assert set(groups) == set(range(1_409))
    assert len(set(zip(groups, labels, strict=True))) == 1_409
    of = dict(zip(names, groups, strict=True))
    for variants in (
        ("mechanic", "man mechanic", "woman mechanic"),
        ("runner", "man running", "woman running facing right"),
        ("kiss", "kiss man man", "kiss woman man"),
        ("prince", "princess", "person with crown"),
        ("family", "family man woman girl boy", "family adult child"),
        ("boy", "girl", "child"),
    ):
        assert len({of[name] for name in variants}) == 1
    assert len({of[name] for name in ("mechanic", "artist", "runner", "adult", "older adult", "child", "family")}) == 7
    # All of a profession have one group: a person, a man and a woman.
    people = np.bincount(groups[labels == 4])
    assert (people[people > 1] >= 2).all()
    assert max(people) == people[of["family"]] == 30


@pytest.mark.parametrize("array", ["image", "image_shifted"])
def test_pictures_show_what_their_names_say(made: Arrays, names: list[str], array: str) -> None:
    images: npt.NDArray[np.float64] = made[array].astype(np.float64)
    colours = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
    for shape in ("large {} circle", "large {} square", "{} heart"):
        for colour, mix in colours.items():
            name = shape.format(colour)
            if name in names:
                middle = images[names.index(name), 14:18, 14:18].mean(axis=(0, 1))
                on, off = (middle[np.array(mix) == value] for value in (1, 0))
                assert on.min() > off.max(), name
    # Pictures are on white, none is empty or cut off at all sides, and few are alike.
    assert (images[:, [0, 0, -1, -1], [0, -1, 0, -1]] == 255).all(axis=2).mean() > 0.85
    assert (images.min(axis=(1, 2, 3)) < 230).all()
    assert len({picture.tobytes() for picture in made[array]}) > 1_600


def test_fonts_draw_differently(made: Arrays) -> None:
    apart = np.abs(made["image"].astype(np.int16) - made["image_shifted"]).mean(axis=(1, 2, 3))
    assert (apart > 2).all()


def test_flags_and_skin_tones_are_left_out(script: ModuleType) -> None:
    records = [
        {"category": category, "sort_order": order}
        for order, category in enumerate(("Flags", "Component", "Objects", "Symbols"))
    ]
    found = script.emoji(json.dumps(records[::-1]).encode())
    assert [record["category"] for record in found] == ["Objects", "Symbols"]


@pytest.mark.parametrize(
    ("unified", "family"),
    [
        ("1F468-200D-1F527", "1F9D1+1F527"),
        ("1F3CC-FE0F-200D-2640-FE0F", "1F3CC"),
        ("1F6B6-200D-2642-FE0F-200D-27A1-FE0F", "1F6B6"),
        ("1F468-200D-1F469-200D-1F466", "1F46A"),
        ("1F475", "1F9D3"),
        ("1F46C", "1F9D1+1F91D+1F9D1"),
        # An arrow, a sign and a joined thing that are no variants of a person.
        ("27A1-FE0F", "27A1"),
        ("2640-FE0F", "2640"),
        ("2764-FE0F-200D-1F525", "2764+1F525"),
    ],
)
def test_families_of_variants(script: ModuleType, unified: str, family: str) -> None:
    assert script.family(unified) == family


def test_characters_and_words(script: ModuleType) -> None:
    assert script.text({"unified": "2764-FE0F-200D-1F525"}) == "\u2764\ufe0f\u200d\U0001f525"
    ids, words = script.tokens(["KISS: WOMAN, MAN", "WOMAN\u2019S HAT", "LEFT-FACING FIST"])
    assert words.tolist() == ["", "facing", "fist", "hat", "kiss", "left", "man", "woman", "womans"]
    assert ids.tolist() == [[4, 7, 6], [8, 3, 0], [5, 1, 2]]


def test_squares_hold_all_ink(script: ModuleType) -> None:
    ink = np.zeros((40, 40), dtype=bool)
    ink[10, 5] = ink[13, 24] = True
    left, top, right, bottom = script.square(ink)
    assert (right - left, bottom - top) == (20, 20)
    assert (left, right) == (5, 25)
    assert top <= 10 < 13 < bottom


def test_pictures_are_drawn_to_scale(script: ModuleType) -> None:
    from PIL import ImageFont

    font: Any = ImageFont.load_default(160)
    zero, one, again = script.draw(["0", "1", "0"], font)
    assert zero.shape == (32, 32, 3)
    np.testing.assert_array_equal(zero, again)
    rows = [(digit.min(axis=(1, 2)) < 128).sum() for digit in (zero, one)]
    # The higher of the digits fills the square.
    assert max(rows) >= 30
    with pytest.raises(UsageError, match="has no single picture for 00"):
        script.draw(["0", "00"], font)
    with pytest.raises(UsageError, match="has no single picture for"):
        script.draw([script.UNASSIGNED], font)


def test_what_is_missing_is_one_sentence(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.features.check", lambda _name: False)
    with pytest.raises(UsageError, match=r"no RAQM here, .*: install its wheel .* \(apt-get install libfribidi0\)$"):
        script.load(b"", 160)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match=r"without Pillow: pip install pillow==13.0.0$"):
        script.load(b"", 160)
    monkeypatch.setattr("sys.argv", ["make_emoji.py"])
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"^pip is not installed for"):
        script.main()
