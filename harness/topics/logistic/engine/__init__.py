"""What tasks of logistic regression compute with: formulas, fits, scores and generated data."""
