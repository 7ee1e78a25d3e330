"""The images of handwritten digits, as the card digits describes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.data.cards import builtin_card, verify
from harness.data.files import check
from harness.data.readers import arrays

CARD = "digits"
MODULES = (arrays.__name__,)  # imported when the file is read


def version() -> str:
    """Return the checksum of the file, which says which images a result is of."""
    file = builtin_card(CARD).file
    assert file is not None
    return file.version


def verify_digits() -> None:
    """Check the file of the images against its card.

    Raises
    ------
    MissingDataError
        When the file is missing.
    UsageError
        When it differs from its card.
    """
    check(builtin_card(CARD))


def digits() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Read the images, shape (1797, 64), and their labels, shape (1797,), in scikit-learn's order and types.

    Raises
    ------
    UsageError
        When the file is missing or differs from its card.
    """
    card = builtin_card(CARD)
    verify(card)
    read = arrays.read(card)
    return read["images"].astype(np.float64), read["labels"].astype(np.int64)
