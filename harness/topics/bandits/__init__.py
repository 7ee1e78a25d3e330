"""Bandits: policies that learn which arm pays while they choose, and the cost of that learning.

A task is a module of this package, and so is a family of strategies. Modules here do not import numba or the folder
engine/ at their top, so that listing the topic is fast and works without numba.
"""

from harness import Topic

topic = Topic("bandits", title="Bandits: the cost of learning while choosing", needs="numba")
