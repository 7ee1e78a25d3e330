"""Normalisation in Transformers: where it stands, what it computes, and what trains without it.

A task is a module of this package. What competes is listed in recipes.py, and what it is made of is in engine/. Modules
here do not import torch or the folder engine/ at their top, so that listing the topic is fast.
"""

from harness import Topic

topic = Topic("normalization", title="Normalisation in Transformers: which norm, and where", needs="torch")
ENGINE = "harness.topics.normalization.engine"
