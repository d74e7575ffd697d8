"""Tools that know nothing of bans: time, ids, canonical JSON, Merkle hashing, logs."""
