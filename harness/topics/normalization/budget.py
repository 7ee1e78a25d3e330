"""What language models are made of and trained with, the same for every strategy."""

from __future__ import annotations

from harness import Param
from harness.topics.normalization import ENGINE

PARAMS = {
    "layers": Param(6, low=1, high=1_000, summary="layers, of two sublayers each"),
    "width": Param(32, low=4, high=16_384, summary="features of a token; a multiple of the 4 heads"),
    "steps": Param(150, low=1, summary="steps of training"),
    "batch": Param(8, low=1, high=65_536, summary="pieces of text in a step"),
    "warmup": Param(0, low=0, summary="steps in which the learning rate rises to its value"),
}
HEADS = 4
#: Modules that every strategy needs.
NEEDS = (f"{ENGINE}.learning", "harness.topics._shared.deep")
