"""Retention: the erasure of personal data some time after a measure's end, and what delays it (R64)."""
