"""Clearances: the bearer of a document is not the person of an entry, as two officers have confirmed."""
