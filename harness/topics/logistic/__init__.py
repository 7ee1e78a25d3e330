"""Logistic regression: what penalty, solver, interval, calibration and threshold are worth.

A task is a module of this package, and so is a family of strategies. What they compute with is in engine/. Modules here
do not import scikit-learn or the folder engine/ at their top, so that listing the topic is fast.
"""

from harness import Topic

topic = Topic(
    "logistic", title="Logistic regression: penalties, intervals, calibration and thresholds", needs="sklearn.metrics"
)
