"""Bandits: choosing while learning, and what the learning costs.

A task is a module of this package, and so is a family of strategies. Modules here import neither numba nor the folder
engine/ at their top, so that listing the topic stays fast and works without the package.
"""

from harness import Topic

topic = Topic("bandits", title="Bandits: what learning while choosing costs", needs="numba")
