"""Off-policy evaluation: what a target policy would have earned, estimated from the log of another policy.

A task is a module of this package, and so is a family of strategies. Modules here do not import numba or the folder
engine/ at their top, so that listing the topic is fast and works without numba.
"""

from harness import Topic

topic = Topic(
    "ope", title="Off-policy evaluation: the value of a policy from the log of another", needs=("numba", "sklearn")
)
