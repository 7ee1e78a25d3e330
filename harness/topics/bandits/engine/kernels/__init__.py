"""Policies compiled by numba: replication after replication, each through all steps.

A kernel recomputes the reward of a place when it is told, so that late feedback needs no buffer. Every arm is chosen in
turn until each has told something; ties go to the first arm.

numba's cache is keyed by the file of a kernel, not by what it calls: after a change of `chance`, `arms` or `draws` the
files ``*.nbi`` and ``*.nbc`` under the folder engine must be removed: ``find harness/topics -name "*.nb[ic]" -delete``.
"""
