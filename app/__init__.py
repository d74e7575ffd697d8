"""Cekal: Indonesia's register of exit bans (pencegahan) and entry bans (penangkalan)."""

__version__ = "0.2.0"
