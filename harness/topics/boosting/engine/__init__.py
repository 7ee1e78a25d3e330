"""What distributed strategies compute with: worker processes, what they send, and LightGBM's command-line program."""
