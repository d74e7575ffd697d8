"""Retention: what the law orders to be erased some time after a measure's end, and what holds it back (R64)."""
