"""Documents about an entry: the decision letter, and the evidence file for a court."""
