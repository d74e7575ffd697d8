"""Digests of the register that are sealed into the ledger, and snapshots whose last line proves them."""
