"""The digest of the register's state, and which snapshot a reader gets (no I/O; API section 6)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.ledger.domain import Draft, RecordType
from app.tlog import merkle

BUCKETS: Final = 256
KIND: Final = "digest"
"""The `kind` in the leaf of a record that seals a digest; a seal of another kind is of something else."""

HASH_BYTES: Final = 32

LONGEST_UNSEALED: Final = timedelta(hours=1)
"""Age of the oldest record that no digest covers at which a digest is sealed, also without an admin's order."""

EVERYTHING: Final = "all"
"""The scope with the personal parts of all entries, except sealed ones."""

NOTHING: Final = "none"
"""The scope without personal parts."""


class DigestBuilder:
    """Computes the digest of a state of the register from its records: call `add` for each, then `digest`.

    The state has, for each listed entry, the newest record and the records of the clearances in force. The caller adds
    entries by id, and for each entry its newest record first, then its clearances by sequence. Each record is a leaf of
    one of 256 Merkle trees (buckets), which the entry's id selects; the leaf has the same hash as in the ledger's tree.

    Attributes:
        records: number of records so far.
        entries: number of entries so far.
    """

    __slots__ = ("_buckets", "_entry", "_leaves", "_tree", "entries", "records")

    def __init__(self) -> None:
        self.records = self.entries = 0
        self._buckets = [merkle.Tree() for _ in range(BUCKETS)]
        self._leaves = hashlib.sha256()
        self._entry: str | None = None
        self._tree = self._buckets[0]

    def add(self, entry_id: str, leaf: str) -> bytes:
        """Add the leaf of the next record to the bucket of the record's entry. Returns the leaf's hash.

        Raises:
            ValueError: the record before was of an entry with a greater id.
        """
        if entry_id != self._entry:
            if self._entry is not None and entry_id < self._entry:
                raise ValueError("the entries are not in the order of their ids")
            self._entry, self._tree = entry_id, self._buckets[bucket_of(entry_id)]
            self.entries += 1
        text = leaf.encode()
        self._leaves.update(text + b"\n")
        hashed = merkle.leaf_hash(text)
        self._tree.add(hashed)
        self.records += 1
        return hashed

    def digest(self, sequence: int) -> "ComputedDigest":
        """Return the digest of the records added so far, as that of the state after `sequence` ledger records."""
        buckets = tuple(tree.root() for tree in self._buckets)
        return ComputedDigest(Digest(sequence, self.entries, self.records, buckets), self._leaves.hexdigest())


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of the register's state at a sequence: 256 Merkle roots over the state's records.

    Equal states have equal digests. Entries that differ between two states are in the buckets whose roots differ.

    Attributes:
        sequence: the digest is of the state after the ledger's first `sequence` records.
        entries: number of listed entries in the state.
        records: number of records in the state: one of each entry, and one of each clearance in force.
        buckets: the Merkle root of each bucket, by the bucket's number (see `bucket_of`).
    """

    sequence: int
    entries: int
    records: int
    buckets: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The Merkle root of the digest: of the RFC 9162 tree whose leaves are the buckets' roots."""
        tree = merkle.Tree()
        for bucket in self.buckets:
            tree.add(merkle.leaf_hash(bucket))
        return tree.root()

    @property
    def seal(self) -> dict[str, Any]:
        """What the leaf of the record that seals the digest has as `seal`: kind, sequence, entries and root."""
        return {"kind": KIND, "sequence": self.sequence, "entries": self.entries, "root": self.root.hex()}


@dataclass(frozen=True, slots=True)
class ComputedDigest:
    """A digest with the hash by which a snapshot's file is compared with the state from which the digest is computed.

    Attributes:
        digest: the digest.
        leaves: SHA-256, in hexadecimal, of the leaves of all records of the state, in the order of a snapshot's lines,
            each followed by a line feed. It is computed in one pass without trees, many times faster than the digest.
    """

    digest: Digest
    leaves: str

    def draft(self) -> Draft:
        """Return the draft of the ledger record that seals the digest."""
        facts = {"seal": self.digest.seal, "leaves": self.leaves}
        return Draft(RecordType.SEAL, None, None, None, facts, {})


@dataclass(frozen=True, slots=True)
class SealedDigest:
    """A digest whose root a record of the ledger contains, so that it can't be changed later.

    Attributes:
        digest: the digest.
        seal: the sequence of that record.
        sealed_at: when that record was written.
    """

    digest: Digest
    seal: int
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class DigestComputed:
    """An event: the digest of a state was computed, and is to be sealed in the same transaction."""

    computed: ComputedDigest


def bucket_of(entry_id: str) -> int:
    """Return the number of an entry's bucket, from 0 to 255: the first byte of SHA-256 of its id."""
    return hashlib.sha256(entry_id.encode()).digest()[0]


def is_seal_of(leaf: Mapping[str, Any]) -> bool:
    """Return whether a record with this leaf seals a digest, and not something else."""
    seal = leaf.get("seal")
    return leaf.get("type") == RecordType.SEAL and isinstance(seal, Mapping) and seal.get("kind") == KIND


def leaves_of(leaf: Mapping[str, Any]) -> str | None:
    """Return `ComputedDigest.leaves` from the leaf of a record that seals a digest.

    The result is None for a digest that was sealed before its record had this hash.
    """
    leaves: str | None = leaf.get("leaves")
    return leaves


def parted(buckets: bytes) -> tuple[bytes, ...]:
    """Split the stored bytes of a digest into the 32-byte roots of its buckets, in the same order."""
    return tuple(buckets[at : at + HASH_BYTES] for at in range(0, len(buckets), HASH_BYTES))


def is_due(news: datetime | None, ordered: datetime | None, now: datetime) -> bool:
    """Return whether a digest must be sealed now.

    Without a record that no digest covers, the result is False. With one, the result is True if the first such record
    is an hour old, or if a snapshot is ordered.

    Args:
        news: when the first record was written that no digest covers; None if there is no such record.
        ordered: when an admin ordered a snapshot that was not made yet; None without an order.
        now: the present instant.
    """
    return news is not None and (ordered is not None or now - news >= LONGEST_UNSEALED)


def scope_of(actor: Actor) -> str:
    """Return the scope of an actor: which personal parts the snapshots for this actor contain.

    Auditors and clients of Immigration get `EVERYTHING`, clients of another agency the scope `agency-` and its code,
    clients without an agency `NOTHING`. The personal part of sealed entries is in no scope, not even for auditors: one
    file is for all auditors, and a seal may bar one of them.
    """
    if actor.holds(Role.AUDITOR) or actor.agency == IMMIGRATION:
        return EVERYTHING
    return NOTHING if actor.agency is None else f"agency-{actor.agency}"


def reader_in(scope: str) -> Actor:
    """Return a fictitious actor that may see (by `within_scope`) exactly the personal parts of a snapshot's scope."""
    agency = IMMIGRATION if scope == EVERYTHING else scope.removeprefix("agency-")
    return Actor(
        client_id="snapshot",
        person=None,
        roles=frozenset({Role.INTEGRATOR}),
        agency=None if scope == NOTHING else agency,
    )


def hashes(buckets: Iterable[bytes]) -> list[str]:
    """Return each of these hashes as hexadecimal text, in the same order."""
    return [each.hex() for each in buckets]
