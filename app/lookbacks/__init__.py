"""Search the checks of the day before: an urgent entry, or a correction, may have come too late (R58)."""
