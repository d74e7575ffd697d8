"""Escalation of alerts that a checkpoint does not acknowledge, the daily drill, and the watchdog of the whole path."""
