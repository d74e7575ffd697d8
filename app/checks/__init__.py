"""Checks: the question at the border, its answer, and the record of both."""
