"""What Transformers are made of, and language models trained with, the same for every strategy."""

from __future__ import annotations

from harness import Param
from harness.topics.normalization import ENGINE

#: Heads of attention in every Transformer of this topic.
HEADS = 4
PARAMS = {
    "layers": Param(6, low=1, high=1_000, summary="layers, of two sublayers each"),
    "width": Param(32, low=HEADS, high=16_384, multiple=HEADS, summary=f"features of a token, in {HEADS} heads"),
    "steps": Param(150, low=1, summary="steps of training"),
    "batch": Param(8, low=1, high=65_536, summary="pieces of text in a step"),
    "warmup": Param(0, low=0, summary="steps in which the learning rate rises to its value"),
}
#: Modules that every strategy needs.
NEEDS = (f"{ENGINE}.learning", "harness.topics._shared.deep")
