"""The package that asv discovers its suites in; folders here have no `__init__.py`, so asv does not look into them."""
