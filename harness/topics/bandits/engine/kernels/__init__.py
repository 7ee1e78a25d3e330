"""Policies compiled by numba: replication after replication, each through all steps.

A kernel computes the reward of a place again when it is revealed, so that late rewards need no buffer. The arms take
turns until every one has a reward; ties go to the first arm.

The cache of numba notices changes of the file of a kernel, but not changes of the functions it calls. After a change of
`world`, `arms` or `draws` remove the cached files: ``find harness/topics -name "*.nb[ic]" -delete``.
"""
