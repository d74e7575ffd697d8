"""Figures about the register and its use, in which no published cell is small enough to identify a person."""
