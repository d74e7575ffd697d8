"""Figures about the register and its use, in which no cell is small enough to name a person."""
