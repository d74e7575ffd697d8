"""Snapshots of the register for new copies, and digests in the ledger that prove them."""
