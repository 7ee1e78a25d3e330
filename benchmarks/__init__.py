"""asv's suites, a module a topic; what lies in the folders here has no __init__.py, so that asv leaves it alone."""
