"""Draws the looks of a live gate at the CPU time of some cases, for docs/gate.md.

``bakeoff gate --explain GATE --json | python docs/make_looks.py docs/looks.svg count-1 count-2``
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"undecided": "0.55", "regressed": "#b3261e", "pass": "#1b6e3c", "improved": "#1b6e3c"}
TITLES = {"screen": "looking for differences", "confirm": "confirming with fresh pairs"}
mpl.rcParams |= {"svg.hashsalt": "bakeoff", "svg.fonttype": "none"}  # the same small file from the same gate


def draw(axes: Axes, figure: dict[str, Any], stage: str) -> None:
    """Draw the estimate and its interval at each look of a stage."""
    axes.axhline(1, color="0.3", linewidth=0.8)
    axes.axhline(1 + figure["margin"], color="0.3", linewidth=0.8, linestyle="--")
    looks = [look for look in figure["looks"] if look["stage"] == stage]
    for look in looks:
        effect, colour = look["effect"], COLOURS[look["state"]]
        axes.plot([look["pairs"]] * 2, [effect["low"], effect["high"]], color=colour, linewidth=2)
        axes.plot(look["pairs"], effect["estimate"], "o", color=colour)
        if look["state"] != "undecided":
            word = "flagged" if (stage, look["state"]) == ("screen", "regressed") else look["state"]
            axes.annotate(word, (look["pairs"], effect["high"]), (0, 5), textcoords="offset points", ha="center")
    axes.set_xticks([look["pairs"] for look in looks])
    axes.set_title(TITLES[stage], fontsize="medium")
    axes.set_xlabel("pairs")
    axes.margins(x=0.2, y=0.2)


def main(picture: str, names: list[str]) -> None:
    """Draw a row for each case, and in it a panel for each stage."""
    cases = {case["name"].split("/")[2]: case for case in json.load(sys.stdin)["cases"]}
    chosen = [next(one for one in cases[name]["figures"] if one["figure"] == "cpu_s") for name in names]
    drawn, grid = plt.subplots(len(names), 2, figsize=(8, 2.8 * len(names)), sharey="row", layout="constrained")
    for row, name, figure in zip(grid, names, chosen, strict=True):
        row[0].set_ylabel(f"{name}\ncandidate / base")
        for axes, stage in zip(row, TITLES, strict=True):
            if any(look["stage"] == stage for look in figure["looks"]):
                draw(axes, figure, stage)
            else:
                axes.set_axis_off()
    drawn.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
