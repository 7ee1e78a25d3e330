"""What competes in this topic: where a Transformer is normalised, and by which function.

A recipe is a strategy of each task that trains a Transformer. A new one is an entry in `RECIPES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from harness import PhaseClock, Problem, Task

Placement: TypeAlias = Literal["post", "pre", "peri", "deepnorm", "keel", "rezero", "plain"]
Norm: TypeAlias = Literal["layer", "rms", "batch", "dyt", "derf"]


@dataclass(frozen=True)
class Recipe:
    """Where a Transformer is normalised, and by which function.

    Attributes
    ----------
    placement
        Where the norm stands; see `engine.transformer`.
    norm
        Which function it is; see `engine.norms`.
    qk_norm
        Whether queries and keys are normalised too.
    compiled
        Whether torch compiles the layers.
    bfloat16
        Whether torch computes matrix products in bfloat16 (autocast); weights and norms stay in float32.
    """

    name: str
    summary: str
    placement: Placement
    norm: Norm = "layer"
    qk_norm: bool = False
    note: str = ""
    compiled: bool = False
    bfloat16: bool = False


PRE_LN = Recipe("pre-ln", "Layer norm before each sublayer: x + F(LN(x)) (Xiong et al. 2020).", "pre")

RECIPES = (
    Recipe("post-ln", "Layer norm after each sum: LN(x + F(x)) (Vaswani et al. 2017).", "post"),
    PRE_LN,
    Recipe("pre-rmsnorm", "RMS norm before each sublayer (Zhang & Sennrich 2019).", "pre", "rms"),
    Recipe("peri-ln", "Layer norm before and after each sublayer: x + LN(F(LN(x))) (Kim et al. 2025).", "peri"),
    Recipe("deepnorm", "Layer norm after a sum with a weighted stream: LN(a x + F(x)) (Wang et al. 2022).", "deepnorm"),
    Recipe("keel", "Post-LN with a highway path: LN(L x + F(LN(x))) (Chen & Wei 2026).", "keel"),
    Recipe("pre-ln-qk", "Pre-LN with normalised queries and keys (Dehghani et al. 2023).", "pre", qk_norm=True),
    Recipe("rezero", "No norm, sublayers weighted by a learned number from 0 on (Bachlechner et al. 2021).", "rezero"),
    Recipe("dyt", "A scaled tanh in place of each norm of pre-LN (Zhu et al. 2025).", "pre", "dyt"),
    Recipe("derf", "A scaled error function in place of each norm of pre-LN (Chen et al. 2025).", "pre", "derf"),
    Recipe("none", "No norm: x + F(x).", "plain"),
    Recipe("pre-bn", "Batch norm over all tokens of a batch before each sublayer.", "pre", "batch"),
    Recipe("post-bn", "Batch norm over all tokens of a batch after each sum.", "post", "batch"),
)

#: What runs on a CUDA device: one recipe, so that only the way of computing differs.
ON_DEVICE = (
    replace(PRE_LN, name="pre-ln-gpu", note="On a CUDA device."),
    replace(PRE_LN, name="pre-ln-compiled-gpu", compiled=True, note="On a CUDA device, compiled by torch."),
    replace(PRE_LN, name="pre-ln-bf16-gpu", bfloat16=True, note="On a CUDA device, matrix products in bfloat16."),
)

#: What a task does with a recipe on a device.
Run: TypeAlias = Callable[["Problem", "PhaseClock", Recipe, str], Any]


def compete(task: Task, run: Run, needs: Sequence[str], *, on_device: bool = False) -> None:
    """Register every recipe as a strategy of a task.

    Parameters
    ----------
    run
        ``run(problem, phase, recipe, device)``: what the task does with it.
    on_device
        Whether the task has strategies for a CUDA device, too. `run` then prepares its model by
        `engine.devices.prepared`, and the task has the set-up phase ``compile``.
    """
    for recipe in RECIPES:
        task.strategy(recipe.name, needs=needs, note=recipe.note)(_strategy(run, recipe, "cpu"))
    for recipe in ON_DEVICE if on_device else ():
        task.strategy(recipe.name, needs=needs, note=recipe.note, device="cuda", quick=False)(
            _strategy(run, recipe, "cuda")
        )


def _strategy(run: Run, recipe: Recipe, device: str) -> Callable[[Problem, PhaseClock], Any]:
    def strategy(problem: Problem, phase: PhaseClock) -> Any:
        return run(problem, phase, recipe, device)

    strategy.__doc__ = recipe.summary
    return strategy
