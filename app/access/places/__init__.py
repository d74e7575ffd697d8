"""Places: agencies, checkpoints and offices."""
