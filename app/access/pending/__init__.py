"""Changes that wait for a second admin."""
