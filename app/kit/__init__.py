"""Tools that are independent of the domain of bans: time, ids, canonical JSON, Merkle hashing, logs."""
