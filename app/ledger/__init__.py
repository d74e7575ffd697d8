"""The ledger: the append-only, numbered, Merkle-hashed log of every change of the register."""
