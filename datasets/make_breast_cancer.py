"""Makes breast-cancer.parquet from the file breast_cancer.csv of scikit-learn.

Install the package, and run the script; it reads the file through scikit-learn's own function::

    pip install scikit-learn==1.9.1 pyarrow==26.0.1
    python make_breast_cancer.py

The same version of pyarrow gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from sklearn.datasets import load_breast_cancer


def tumours() -> pa.Table:
    """Read the measurements, and whether each tumour is malignant; scikit-learn's 1 is benign."""
    data = load_breast_cancer()
    columns = {
        name.replace(" ", "_"): values for name, values in zip(data.feature_names, data.data.T.copy(), strict=True)
    }
    malignant = data.target == int(np.flatnonzero(data.target_names == "malignant")[0])
    return pa.table({**columns, "malignant": malignant})


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(table, made, compression="zstd", compression_level=19)
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    table = tumours()
    target = Path(__file__).with_name("breast-cancer.parquet")
    write(table, target)
    content = target.read_bytes()
    sys.stdout.write(
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n'
        f"positives = {table['malignant'].to_pylist().count(True)}\n"
    )


if __name__ == "__main__":
    main()
