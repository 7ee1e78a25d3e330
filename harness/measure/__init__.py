"""Measuring: the phase clock, memory, devices, the fresh process of a trial, and the machine itself."""
