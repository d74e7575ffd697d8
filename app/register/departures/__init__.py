"""Delayed departures of suspected non-procedural workers: events about possible victims, never entries."""
