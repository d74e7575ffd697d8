"""What is printed or handed over about an entry: the decision letter, and the evidence file for a court."""
