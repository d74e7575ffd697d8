"""The ledger as a C2SP tiled log, and proofs from it."""
