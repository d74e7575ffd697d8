"""Passenger manifests: every passenger is checked when the list arrives, and again after changes until departure."""
