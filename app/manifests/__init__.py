"""Passenger manifests: every passenger asked about before departure, and watched until then."""
