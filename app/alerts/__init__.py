"""Alerts: the message that an urgent entry, or a change of it, sends to every checkpoint."""
