"""Maintenance of an installation: backups, their restoration, verification, and the standstill under a doubted clock.

This wing may import all wings below it, which serve the requests.
"""
