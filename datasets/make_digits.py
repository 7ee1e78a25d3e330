"""Makes digits.npz from the file digits.csv.gz of scikit-learn.

Install the package, and run the script; it reads the file through scikit-learn's own function::

    pip install scikit-learn==1.9.1 numpy==2.4.6
    python make_digits.py

The same versions of numpy and zlib give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits


def digits() -> dict[str, npt.NDArray[np.uint8]]:
    """Read the images and their labels; all are whole numbers, at most 16."""
    images, labels = load_digits(return_X_y=True)
    arrays = {"images": images.astype(np.uint8), "labels": labels.astype(np.uint8)}
    if not (np.array_equal(arrays["images"], images) and np.array_equal(arrays["labels"], labels)):
        raise ValueError("a pixel or a label is no whole number from 0 to 255")
    return arrays


def write(arrays: dict[str, npt.NDArray[np.uint8]], target: Path) -> None:
    """Write an npz file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        np.savez_compressed(made, **arrays)  # type: ignore[arg-type]
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    target = Path(__file__).with_name("digits.npz")
    write(digits(), target)
    content = target.read_bytes()
    sys.stdout.write(f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n')


if __name__ == "__main__":
    main()
