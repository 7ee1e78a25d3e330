"""A model of what a tree costs on many workers: its sizes, formulas, fit and map."""
