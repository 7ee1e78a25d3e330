"""Policies that restart when a detector signals that the mean of an arm has changed; one module per detector.

A detector tests the rewards of an arm since its last restart. The function `alarm` of each module is the detector
alone, on one stream of rewards, so that tests can measure its false alarms and delays.
"""
