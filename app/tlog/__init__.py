"""Transparency logs as the C2SP specifications describe them: trees, signed notes, tiles and proofs (no I/O)."""
