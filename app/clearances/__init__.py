"""Clearances: "not the same person", a document against an entry, confirmed by two people."""
