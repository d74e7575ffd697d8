"""The ledger: the append-only, numbered, Merkle-hashed log of everything that changed the register."""
