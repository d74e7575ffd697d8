"""Duties about an entry in addition to its decision: recorded with their proof, and listed while they are open."""
