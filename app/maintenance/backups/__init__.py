"""Backups of the whole register, their restoration, and the new epoch that begins after it."""
