"""Whom an urgent entry, or a correction, came too late for: the checks of the day before, searched (R58)."""
