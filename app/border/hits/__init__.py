"""Hits: checks answered with `refer` or `refuse`, and their resolution by a supervisor."""
