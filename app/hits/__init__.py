"""Hits: checks whose answer was not `clear`, until a supervisor resolves them."""
