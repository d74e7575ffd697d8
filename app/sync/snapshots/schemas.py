"""The JSON models of snapshots and digests (API section 6)."""

from typing import Annotated

from pydantic import Field

from app.sync.feed.records import RecordOut
from app.sync.snapshots.domain import BUCKETS, SealedDigest, hashes
from app.web.wire import Moment, WireOut

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SnapshotBeginOut(WireOut):
    """The first line of a snapshot, before its records."""

    origin: str
    """The ledger's origin, as its checkpoints name it."""
    cursor: str
    """The cursor after the snapshot: send it as `after` to `/v1/changes` to get the records that follow."""
    sequence: int
    """The snapshot is the state of the ledger's first `sequence` records."""
    count: int
    """Number of records, which are the lines between the first and the last one."""


class SnapshotEndOut(WireOut):
    """The last line of a snapshot, with the proof of its content; if it is missing, the file was cut off."""

    count: int
    """Number of records."""
    entries: int
    """Number of entries; each has one record, and one more for each clearance in force."""
    digest: Hash
    """The root of the digest, in hexadecimal; compute it from the lines and compare."""
    seal: RecordOut
    """The record that seals the digest: `leaf.seal` holds `kind`, `sequence`, `entries` and `root`, `leaf.leaves` the
    SHA-256 of all leaves of the snapshot, in the order of its lines, each followed by a line feed."""
    size: int
    """The number of records of the ledger that `checkpoint` signs."""
    path: list[Hash]
    """The audit path from the seal's leaf to the checkpoint's root, in hexadecimal (RFC 9162 section 2.1.3)."""
    checkpoint: str
    """The signed head, a C2SP checkpoint, with the cosignatures of witnesses that it had so far."""


SnapshotLine = SnapshotBeginOut | RecordOut | SnapshotEndOut
"""A line of a snapshot."""


class SnapshotOrderOut(WireOut):
    """The answer to an order of a snapshot; the snapshot itself is made later."""

    newest: int | None
    """Sequence of the newest digest sealed in the ledger when the order was given; null if there was none."""


class DigestOut(WireOut):
    """The digest of the register's state at a sequence; a record of the ledger contains its root."""

    sequence: int
    """The digest is of the state of the ledger's first `sequence` records."""
    entries: int
    """Number of entries."""
    records: int
    """Number of records of the state: one for each entry, and one for each clearance in force."""
    root: Hash
    """The root of the RFC 9162 tree whose leaves are the roots of the buckets, in hexadecimal."""
    buckets: list[Hash] = Field(min_length=BUCKETS, max_length=BUCKETS)
    """The Merkle root of each bucket; an entry's bucket is the first byte of SHA-256 of its id."""
    seal: int
    """Sequence of the record that seals the digest; `/v1/proofs/inclusion` proves this record."""
    sealed_at: Moment
    """When the digest was sealed."""

    @classmethod
    def of(cls, sealed: SealedDigest) -> "DigestOut":
        """Convert a sealed digest to the API's model."""
        digest = sealed.digest
        return cls(
            sequence=digest.sequence,
            entries=digest.entries,
            records=digest.records,
            root=digest.root.hex(),
            buckets=hashes(digest.buckets),
            seal=sealed.seal,
            sealed_at=sealed.sealed_at,
        )
