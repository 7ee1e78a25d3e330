"""Recommendation: which items to show to whom, learned from what users took before.

A task is a module of this package, and so is a family of strategies. What they compute with is in engine/. Modules here
do not import implicit, numba or the folder engine/ at their top, so that listing the topic is fast.
"""

from harness import Topic

topic = Topic("recommendation", title="Recommendation: what to show to whom", needs=("scipy.sparse", "numba"))
