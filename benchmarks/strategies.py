"""The registered strategies of all topics for asv: the classes are made from the registry, see docs/asv.md."""

from pathlib import Path

from harness.interop.asv.suites import classes

globals().update(classes(Path(__file__)))
