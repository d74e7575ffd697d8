"""Whom an urgent entry came too late for: the checks of the day before, searched for its subject (R58)."""
