"""Objections (keberatan) against a measure: recorded and answered by its owner; they change no entry."""
