"""The JSON models of inclusion and consistency proofs (API section 6)."""

from app.web.wire import WireOut


class InclusionOut(WireOut):
    """A proof that the ledger contains a record."""

    sequence: int
    """The record's number; its leaf's index is one less."""
    size: int
    """The number of records of the tree to whose root the proof leads."""
    leaf_hash: str
    """SHA-256 of 0x00 and the leaf's bytes, in hexadecimal (RFC 9162 section 2.1.1)."""
    path: list[str]
    """The audit path from the leaf upwards, in hexadecimal (RFC 9162 section 2.1.3)."""
    root: str
    """The tree's root, in hexadecimal."""


class ConsistencyOut(WireOut):
    """A proof that the larger ledger begins with all records of the smaller one, unchanged."""

    from_size: int
    """The smaller number of records."""
    to_size: int
    """The larger number of records."""
    from_root: str
    """The smaller tree's root, in hexadecimal."""
    to_root: str
    """The larger tree's root, in hexadecimal."""
    path: list[str]
    """The consistency proof, in hexadecimal (RFC 9162 section 2.1.4); empty where both sizes are equal."""
