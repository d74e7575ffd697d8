"""Maintenance of an installation: backups, restoring, verification, and suspending irreversible acts in doubt.

The doubt is whether the clock is right. This wing may import every other wing.
"""
