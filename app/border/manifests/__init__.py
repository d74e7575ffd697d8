"""Passenger manifests: every passenger is checked when the list comes, and again after changes until the watch ends."""
