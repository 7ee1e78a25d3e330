"""Makes diamonds.parquet from the data set diamonds of R's package ggplot2, as the repository Rdatasets has it.

Get csv/ggplot2/diamonds.csv of https://github.com/vincentarelbundock/Rdatasets, of June 2026 (commit 1dcc2bf5f955), and
give it as the argument::

    python make_diamonds.py diamonds.csv

The same file and versions of pandas and pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

SHA256 = "974c2ce1c1ce245508bd357ca11a7fba2b37813ecf0f1158808a9249ebff67a1"

# From the worst to the best, as the documentation of ggplot2 says; a grade becomes its place.
GRADES = {
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": ["J", "I", "H", "G", "F", "E", "D"],
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}
SIZES = ["x", "y", "z"]
SCHEMA = pa.schema(
    {
        "carat": pa.float32(),
        **dict.fromkeys(GRADES, pa.int8()),
        **dict.fromkeys(["depth", "table", *SIZES], pa.float32()),
        "price": pa.int16(),
    }
)


def diamonds(raw: pd.DataFrame) -> pa.Table:
    """Turn grades into their places, and sizes of 0 mm into missing values; rows are in order of the price."""
    places = {name: raw[name].map(grades.index) for name, grades in GRADES.items()}
    sizes = {name: raw[name].where(raw[name] > 0) for name in SIZES}
    table = raw.assign(**places, **sizes).sort_values(SCHEMA.names[::-1], kind="stable")
    return pa.Table.from_pandas(table[SCHEMA.names], schema=SCHEMA, preserve_index=False)


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(table.replace_schema_metadata(None), made, compression="zstd", compression_level=19)
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="diamonds.csv of Rdatasets")
    source = parser.parse_args().file
    if hashlib.sha256(source.read_bytes()).hexdigest() != SHA256:
        parser.error(f"{source} is not the file that this script was written for: its sha256 is not {SHA256}")
    table = diamonds(pd.read_csv(source))
    target = Path(__file__).with_name("diamonds.parquet")
    write(table, target)
    content = target.read_bytes()
    sys.stdout.write(f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n')


if __name__ == "__main__":
    main()
