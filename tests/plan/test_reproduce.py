"""Commands that can be typed again."""

import shlex

from harness.plan.selection import command


def test_a_command_is_quoted_for_a_shell() -> None:
    text = command(
        "boosting/tabular-binary",
        strategies=["xgboost-hist"],
        datasets=["my data"],
        scenarios=["label_noise(0.2)"],
        values={"rows": (1000, 10_000), "fast": (True,)},
        blocks=5,
        seed=7,
    )
    assert shlex.split(text) == [
        *("bakeoff", "run", "boosting/tabular-binary", "-s", "xgboost-hist", "-d", "my data"),
        *("--scenario", "label_noise(0.2)", "--set", "rows=1000,10000", "--set", "fast=true"),
        *("--blocks", "5", "--seed", "7"),
    ]
    assert "'label_noise(0.2)'" in text


def test_what_is_not_chosen_is_left_out() -> None:
    assert command("a/b", values={}) == "bakeoff run a/b"
