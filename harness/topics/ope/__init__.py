"""Off-policy evaluation: what another policy would have earned, from the log of the one that ran.

A task is a module of this package, and so is a family of strategies. Modules here import neither numba nor the folder
engine/ at their top, so that listing the topic stays fast and works without the package.
"""

from harness import Topic

topic = Topic("ope", title="Off-policy evaluation: judging a policy by another one's log", needs=("numba", "sklearn"))
