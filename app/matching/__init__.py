"""Matching of persons: names are aligned, births compared and the evidence weighed (no I/O)."""
