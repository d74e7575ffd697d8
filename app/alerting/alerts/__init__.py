"""Alerts: messages to every checkpoint about a new urgent entry or a change of one."""
