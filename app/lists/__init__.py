"""Readers of published lists of persons, and their way into the register."""
