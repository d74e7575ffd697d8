"""Delayed departures of workers who may be sent abroad unlawfully: events about possible victims, never entries."""
