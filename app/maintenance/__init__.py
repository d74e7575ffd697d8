"""Maintenance of an installation: backups, restoring, and the standstill of irreversible acts under a doubted clock.

This wing may import every other wing.
"""
