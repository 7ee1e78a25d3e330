"""Fusion: networks that take text, images, links and numbers together.

A task is a module of this package, and so is a family of strategies. What they compute with is in engine/. Modules here
do not import torch or the folder engine/ at their top, so that listing the topic is fast.
"""

from harness import Topic

topic = Topic(
    "fusion",
    title="Fusion of modalities: where networks for text, images and numbers meet",
    # The judge of classes imports scikit-learn, which takes seconds: once for all trials.
    needs=("torch", "sklearn.metrics"),
)
ENGINE = "harness.topics.fusion.engine"
