"""Policies that start again when a detector sees that an arm's mean has changed; a module a detector.

A detector watches what an arm paid since its last restart. On one stream of rewards it is the kernel `alarm`, where its
false alarms and delays can be seen.
"""
