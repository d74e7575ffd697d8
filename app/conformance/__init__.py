"""Conformance: whether a running service keeps the promises of the feed and of its proofs, seen from outside."""
