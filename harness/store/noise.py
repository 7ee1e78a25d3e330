"""The noise floor of a machine, stored beside its runs as ``<results>/<machine>/noise.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.inputs import read_regular
from harness.measure.fitness import Noise
from harness.store.atomic import write_atomically

_FILE = "noise.json"


class StoredNoise(msgspec.Struct, frozen=True):
    """The noise floor that ``bakeoff doctor --keep`` measured, and when (UTC, ISO 8601)."""

    measured: str
    noise: Noise


def write_noise(folder: Path, noise: StoredNoise) -> Path:
    """Write a machine's noise floor into its folder, replacing an earlier one as a whole.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    path = folder / _FILE
    write_atomically(path, msgspec.json.format(msgspec.json.encode(noise), indent=1) + b"\n")
    return path


def noise_beside(runs: Iterable[Path]) -> dict[str, StoredNoise]:
    """Read the noise floors that are stored beside files of runs, by machine."""
    floors = {folder.name: stored_noise(folder) for folder in {path.parent for path in runs}}
    return {name: noise for name, noise in floors.items() if noise is not None}


def deviations(noise: Mapping[str, StoredNoise]) -> dict[str, float]:
    """Return machine to the standard deviation of the log-ratio of the times of two equal trials."""
    return {name: stored.noise.sd for name, stored in noise.items()}


def stored_noise(folder: Path) -> StoredNoise | None:
    """Read a machine's noise floor; ``None`` when none is stored.

    Raises
    ------
    UsageError
        When the file is damaged or cannot be read.
    """
    path = folder / _FILE
    try:
        return msgspec.json.decode(read_regular(path), type=StoredNoise)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors too
        raise UsageError(f"{path} is damaged ({error}): measure again with 'bakeoff doctor --keep'") from None
