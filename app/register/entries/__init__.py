"""Entries: the bans themselves, with their periods, the decisions on them, and the law's rules for them."""
