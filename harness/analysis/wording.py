"""How a page writes figures; static/format.js writes the same figures the same way."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from harness.analysis.aggregates import LEAST_MEMORY, Choice
from harness.declare.values import STRESS
from harness.records import typed

NONE = "\u2013"
#: Beside the colour of a comparison, so that it is seen without colours.
MARKS = {"better": " ▲", "worse": " ▼", "tied": "", "unknown": "", "reference": ""}
_MINUS = "\u2212"
_SPACE = "\u00a0"
_TIMES = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (1e-6, "µs", 1e6), (0.0, "ns", 1e9))
_SIZES = ((1e9, "GB", 1e-9), (1e6, "MB", 1e-6), (1e3, "kB", 1e-3), (0.0, "B", 1.0))
# From here on three digits round to the next unit: 1.00 s and not 1,000 ms.
_ROUNDED = 0.9995
_LEAST_RATIO = 0.01
_FINEST = 6


def crowded(trials: int) -> str:
    """Say that trials had more threads than cores."""
    return f"{count(trials, 'trial')} had more threads than cores, so that threads waited for each other"


def figure(value: float | None, unit: str) -> str:
    """Write a value of a measure with its unit: ``911 ms``, ``36.6 MB``, ``0.7784``.

    Memory below `LEAST_MEMORY`, which cannot be measured, is written ``<0.1 MB``.
    """
    if value is not None and unit == "byte" and value < LEAST_MEMORY:
        return f"<0.1{_SPACE}MB"
    return scaled(value, unit)


def scaled(value: float | None, unit: str) -> str:
    """Write any value with its unit, such as a share of a measure: ``366 B``."""
    if value is None:
        return NONE
    scales = {"s": _TIMES, "byte": _SIZES}.get(unit)
    if scales is None:
        return _number(value) if unit in ("", "1") else f"{_number(value)}{_SPACE}{unit}"
    _, name, factor = next((scale for scale in scales if abs(value) >= _ROUNDED * scale[0] and value), scales[0])
    return f"{digits(value * factor)}{_SPACE}{name}"


def digits(value: float) -> str:
    """Write a number with three digits, never fewer than its whole ones."""
    size = abs(value)
    return _fixed(value, 0 if size >= 99.95 else 1 if size >= 9.995 else 2)


def ratio(value: float | None) -> str:
    """Write a ratio: ``5.89x``."""
    if value is None:
        return NONE
    return f"<{_LEAST_RATIO}x" if value < _LEAST_RATIO else f"{digits(value)}x"


_ACRONYMS = {name: name.upper() for name in ("auc", "mse", "rmse", "mrr", "ndcg", "ece", "psi", "cpu")} | {
    "r2": "R²",
    "f1": "F1",
    "rms": "RMS",
}


def spoken(name: str) -> str:
    """Write the name of a metric as words: ``calibration error``, ``AUC``, ``macro F1``."""
    return " ".join(_ACRONYMS.get(word, word) for word in name.split("_"))


def left_out(task: str, names: Sequence[str]) -> str:
    """Say which strategies of a task the quick profile leaves out, and which command runs them."""
    return f"The quick profile leaves out {', '.join(names)}: bakeoff run {task} -s NAME, or --profile full"


def level(found: Mapping[str, Any], unit: str) -> str:
    """Write the median of a measure, or a rate with its interval: ``0.0480 [0.0389, 0.0585]``."""
    rate = found["rate"]
    if rate is None:
        return figure(found["median"], unit)
    estimate, low, high = (_number(rate[name]) for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


def effect(found: Mapping[str, Any], *, cost: bool, signed: bool = True) -> str:
    """Write the estimate of a comparison without its interval; a difference has a sign unless `signed` is false."""
    if found["estimate"] is None:
        return NONE
    if cost:
        return ratio(found["estimate"])
    return (_signed if signed else _fixed)(found["estimate"], decimals(found))


def interval(found: Mapping[str, Any], *, cost: bool, signed: bool = True) -> str:
    """Write the interval of a comparison, ``[1.08, 1.40]``, or that all blocks agree; empty without either."""
    if found.get("same"):
        equal = found["estimate"] == 1.0 if cost else signed and found["estimate"] == 0.0
        return f"{'equal' if equal else 'the same'} in all {found['blocks']} blocks"
    if found["low"] is None or found["high"] is None:
        return ""
    if cost:
        low, high = (ratio(found[bound]).removesuffix("x") for bound in ("low", "high"))
    else:
        low, high = ((_signed if signed else _fixed)(found[bound], decimals(found)) for bound in ("low", "high"))
    return f"[{low}, {high}]"


def decimals(found: Mapping[str, Any]) -> int:
    """Return the decimals of a difference: those of the first digit of half its interval, at least three below ten."""
    known = [abs(found[bound]) for bound in ("estimate", "low", "high") if found[bound] is not None]
    size = max(known, default=0.0)
    least = 3 if size < 10 else 1 if size < 1000 else 0
    width = 0.0 if found["low"] is None or found["high"] is None else found["high"] - found["low"]
    # Without a width, the size says how fine a difference is.
    fine = width / 2 or size / 10
    return min(_FINEST, max(least, math.ceil(-math.log10(fine)))) if fine > 0 else least


def duration(seconds: float) -> str:
    """Write a time that a person waits: ``48 s``, ``12 min``, ``1.5 h``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}".replace(".0 ", " ")
    return f"{seconds:.0f} s"


def share(value: float | None) -> str:
    """Write a share in per cent."""
    return "not recorded" if value is None else f"{100 * value:.1f}{_SPACE}%"


def day(time: str) -> str:
    """Write the day of an ISO 8601 time: ``23 November 2026``; any other text is returned as it is."""
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        return time
    return f"{at.day} {at:%B %Y}"


def clock(time: str) -> str:
    """Write an ISO 8601 time to the minute, with its offset from UTC; any other text is returned as it is."""
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        return time
    offset = at.utcoffset()
    return f"{day(time)}, {at:%H:%M}" + ("" if offset is None else " UTC" if not offset else f" UTC{at:%z}")


def count(number: int, noun: str) -> str:
    """Write a number of things: ``1 run``, ``1,200 trials``, ``2 strategies``."""
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def named(names: Sequence[str], last: str = "and", *, most: int = 3) -> str:
    """Join names, the first ones only if they are many: ``a, b and 2 more``."""
    shown = list(names[:most])
    if more := len(names) - len(shown):
        shown.append(f"{more} more")
    return f" {last} ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def settled(states: Mapping[str, int]) -> str:
    """Say how many tasks have an answer, from the number in each state; empty if that is a question for none."""
    found = states.get("settled", 0) + states.get("tied", 0)
    asked = found + states.get("open", 0)
    ties = f", {count(states['tied'], 'tie')} among them" if states.get("tied") else ""
    return f"{found} of {count(asked, 'task')} settled{ties}" if asked else ""


def chosen(choices: Mapping[Choice, int]) -> str:
    """Write what tuning chose: ``l2=10.0 columns=0.5 in 2 blocks, the defaults in 1 block``; empty without tuning."""
    ordered = sorted(choices.items(), key=lambda item: -item[1])
    return ", ".join(f"{_options(choice)} in {count(blocks, 'block')}" for choice, blocks in ordered)


def _options(choice: Choice) -> str:
    return " ".join(f"{name}={typed(value)}" for name, value in choice) or "the defaults"


def diverged(steps: Sequence[float], among: int, noun: str = "block") -> str:
    """Say at which steps training diverged: ``diverged at step 12 in 2 of 5 blocks``; empty where it did not."""
    if not steps:
        return ""
    low, high = (f"{step:,.12g}" for step in (min(steps), max(steps)))
    at = f"step {low}" if low == high else f"steps {low} to {high}"
    return f"diverged at {at} in {len(steps)} of {count(among, noun)}"


def place(cell: Mapping[str, Any]) -> str:
    """Name a cell: ``flights, clean (rows=100000 threads=1)``."""
    params = " ".join(f"{name}={scalar(value)}" for name, value in sorted(cell["params"].items()))
    return f"{cell['dataset']}, {cell['scenario']}" + (f" ({params})" if params else "")


def setup(phases: Sequence[str]) -> str:
    """Say which set-up phases a total leaves out: ``without compile``."""
    return f"without {', '.join(phases)}" if phases else "with all phases"


def phase(name: str, setup: Collection[str]) -> str:
    """Name a phase, and say that it is in no total: ``compile (set-up)``."""
    if name not in setup:
        return name
    return f"{name} (in no total)" if name == STRESS else f"{name} (set-up)"


def scalar(value: Any) -> str:
    """Write the value of a parameter as on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    size = abs(value)
    if 0 < size < 5e-4:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", _MINUS)
    return _fixed(value, 4 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0)


def _fixed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return (text[1:] if not text.strip("-0.,") else text).replace("-", _MINUS) if value < 0 else text


def _signed(value: float, places: int) -> str:
    text = _fixed(value, places)
    return text if text.startswith(_MINUS) or not text.strip("0.,") else f"+{text}"
