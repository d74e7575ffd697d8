"""Entries: their data, periods, decisions, and the law's rules for them."""
