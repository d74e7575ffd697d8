"""Look-backs: after an urgent entry or a correction, the search of the last day's checks for its subject (R58)."""
