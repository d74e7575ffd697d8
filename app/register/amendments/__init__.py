"""Amendments: an entry is extended, corrected, revoked, or ended by a judgment, each decided by other persons."""
