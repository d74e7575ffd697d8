"""Objections (keberatan) against a measure: recorded and answered by its owner, changing nothing by themselves."""
