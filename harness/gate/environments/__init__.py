"""The two environments of a live gate: interpreter, packages and source tree of each side, built once and cached."""
