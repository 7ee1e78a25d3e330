"""Makes open-bandit-sample.parquet from the sample of the Open Bandit Dataset in the Python package obp.

Get the package, which holds the folder ``obp/dataset/obd`` and ``obp/policy/conf/prior_bts.yaml``, and give the folder
``obp`` as the argument; it is read, never imported::

    pip download --no-deps obp==0.4.1
    unzip obp-0.4.1-py3-none-any.whl
    python make_open_bandit_sample.py obp

The same package and versions of numpy, pandas and pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import yaml
from pyarrow import parquet

POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")
POSITIONS = 3
# As in the example of obp whose figures are published: examples/obd/evaluate_off_policy_estimators.py, version 0.5.2.
DRAWS, SEED, CHUNK = 1_000_000, 12345, 20_000

USER = [f"user_feature_{number}" for number in range(4)]
ITEM = [f"item_feature_{number}" for number in range(4)]
TYPES = {
    "policy": pa.string(),
    "campaign": pa.string(),
    "time": pa.int64(),
    "item": pa.int8(),
    "position": pa.int8(),
    "click": pa.bool_(),
    "propensity": pa.float64(),
    "bts_probability": pa.float64(),
    **dict.fromkeys(USER, pa.string()),
    ITEM[0]: pa.float64(),
    **dict.fromkeys(ITEM[1:], pa.string()),
}


def bts_probabilities(prior: dict[str, list[float]]) -> npt.NDArray[np.float64]:
    """Estimate how often Bernoulli Thompson sampling with a prior shows each item in each position.

    Returns
    -------
    numpy.ndarray
        Shape (items, positions); columns sum to 1. The sequence of draws is that of obp's ``BernoulliTS``.
    """
    random = np.random.RandomState(SEED)  # the generator of the published figures
    alpha, beta = np.array(prior["alpha"]), np.array(prior["beta"])
    counts = np.zeros((POSITIONS, len(alpha)))
    for _ in range(DRAWS // CHUNK):
        order = random.beta(alpha, beta, size=(CHUNK, len(alpha))).argsort(axis=1)
        for position in range(POSITIONS):
            counts[position] += np.bincount(order[:, -1 - position], minlength=len(alpha))
    shares: npt.NDArray[np.float64] = counts.T / DRAWS
    return shares


def log(folder: Path, policy: str, campaign: str, shares: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Read one log, its items' features beside it, in order of time as obp's loader has it."""
    raw = pd.read_csv(folder / policy / campaign / f"{campaign}.csv", index_col=0)
    items = pd.read_csv(folder / policy / campaign / "item_context.csv", index_col=0)
    raw = raw.sort_values("timestamp", kind="quicksort").reset_index(drop=True)
    joined = raw[USER].join(items.set_index("item_id").loc[raw["item_id"], ITEM].reset_index(drop=True))
    stamps = pd.to_datetime(raw["timestamp"], format="ISO8601")
    return joined.assign(
        policy=policy,
        campaign=campaign,
        time=stamps.dt.as_unit("us").astype("int64"),
        item=raw["item_id"],
        position=raw["position"],
        click=raw["click"] == 1,
        propensity=raw["propensity_score"],
        bts_probability=shares[raw["item_id"], raw["position"] - 1],
    )[list(TYPES)]


def sample(package: Path) -> pa.Table:
    """Read all six logs."""
    priors: dict[str, Any] = yaml.safe_load((package / "policy/conf/prior_bts.yaml").read_text(encoding="utf-8"))
    shares = {campaign: bts_probabilities(priors[campaign]) for campaign in CAMPAIGNS}
    parts = [
        log(package / "dataset/obd", policy, campaign, shares[campaign])
        for campaign in CAMPAIGNS
        for policy in POLICIES
    ]
    return pa.Table.from_pandas(pd.concat(parts), schema=pa.schema(TYPES), preserve_index=False)


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    plain = {"time": "DELTA_BINARY_PACKED"}
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(
            table.replace_schema_metadata(None),
            made,
            compression="zstd",
            compression_level=19,
            use_dictionary=[name for name in TYPES if name not in plain],
            column_encoding=plain,
        )
        made.replace(target)


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the folder obp of the package obp 0.4.1")
    table = sample(parser.parse_args().package)
    target = Path(__file__).with_name("open-bandit-sample.parquet")
    write(table, target)
    content = target.read_bytes()
    sys.stdout.write(
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n'
        f"positives = {table['click'].to_pylist().count(True)}\n"
    )


if __name__ == "__main__":
    main()
