"""The digest of the register's state, and which snapshot a reader gets (no I/O; API section 6)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.ledger.domain import Draft, RecordText, RecordType
from app.tlog import merkle

BUCKETS: Final = 256
KIND: Final = "digest"
"""The kind of these seals: other kinds seal something else."""

HASH_BYTES: Final = 32

LONGEST_UNSEALED: Final = timedelta(hours=1)
"""How long a record waits at most for the digest that covers it, unless an admin asks for one."""

EVERYTHING: Final = "all"
NOTHING: Final = "none"


class DigestBuilder:
    """Computes a digest from the records of a state, which are added by entry id.

    The records of one entry are added in this order: its newest record, then those of its clearances in force, by
    sequence. Each record is a leaf in the bucket of its entry; the leaf has the same hash as in the ledger's tree.

    Attributes:
        records: number of records so far.
        entries: number of entries so far.
    """

    __slots__ = ("_buckets", "_entry", "_tree", "entries", "records")

    def __init__(self) -> None:
        self.records = self.entries = 0
        self._buckets = [merkle.Tree() for _ in range(BUCKETS)]
        self._entry: str | None = None
        self._tree = self._buckets[0]

    def add_record(self, record: RecordText) -> bytes:
        """Add the next record. Returns the hash of its leaf.

        Raises:
            ValueError: the record added before is of an entry with a greater id.
        """
        entry_id = str(record.entry_id)
        if entry_id != self._entry:
            if self._entry is not None and entry_id < self._entry:
                raise ValueError("the entries are not in the order of their ids")
            self._entry, self._tree = entry_id, self._buckets[bucket_of(entry_id)]
            self.entries += 1
        leaf = merkle.leaf_hash(record.leaf.encode())
        self._tree.add(leaf)
        self.records += 1
        return leaf

    def digest(self, sequence: int) -> "Digest":
        """Return the digest of the records added so far, as the state at `sequence`."""
        buckets = tuple(tree.root() for tree in self._buckets)
        return Digest(sequence, self.entries, self.records, buckets)


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of the register's state at a sequence.

    Attributes:
        sequence: the digest is of the state after the ledger's first `sequence` records.
        entries: number of listed entries in the state.
        records: number of records in the state: one of each entry, and one of each clearance in force.
        buckets: the Merkle root of each bucket, by the bucket's number.
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
    def facts(self) -> dict[str, Any]:
        """The `facts` of the ledger record that seals the digest: `seal`, with kind, sequence, entries and root."""
        return {
            "seal": {
                "kind": KIND,
                "sequence": self.sequence,
                "entries": self.entries,
                "root": self.root.hex(),
            }
        }

    def draft(self) -> Draft:
        """Return the draft of the ledger record that seals the digest."""
        return Draft(RecordType.SEAL, None, None, None, self.facts, {})


@dataclass(frozen=True, slots=True)
class SealedDigest:
    """A digest that is sealed into the ledger.

    Attributes:
        digest: the digest.
        seal: the sequence of the ledger record that seals the digest.
        sealed_at: when that record was written.
    """

    digest: Digest
    seal: int
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class DigestComputed:
    """An event: the digest of a state was computed, and is to be sealed in the same transaction."""

    digest: Digest


def bucket_of(entry_id: str) -> int:
    """Return the bucket of an entry: the first byte of SHA-256 of its id."""
    return hashlib.sha256(entry_id.encode()).digest()[0]


def is_seal_of(leaf: Mapping[str, Any]) -> bool:
    """Return whether a leaf belongs to a record that seals a digest."""
    seal = leaf.get("seal")
    return leaf.get("type") == RecordType.SEAL and isinstance(seal, Mapping) and seal.get("kind") == KIND


def parted(buckets: bytes) -> tuple[bytes, ...]:
    """Return the buckets' roots from the stored bytes, which contain them one after the other."""
    return tuple(buckets[at : at + HASH_BYTES] for at in range(0, len(buckets), HASH_BYTES))


def is_due(news: datetime | None, ordered: datetime | None, now: datetime) -> bool:
    """Return whether a digest must be sealed now: there is news, and it is ordered or is `LONGEST_UNSEALED` old.

    Args:
        news: when the first record was written that no digest covers; None if there is no such record.
        ordered: when an admin ordered a snapshot that was not made yet; None without an order.
        now: the present.
    """
    return news is not None and (ordered is not None or now - news >= LONGEST_UNSEALED)


def scope_of(actor: Actor) -> str:
    """Return the scope of an actor's snapshots: the agency's own data, everything (`EVERYTHING`), or `NOTHING`.

    Clients of Immigration and auditors have `EVERYTHING`, clients without an agency `NOTHING`. The personal part of
    sealed entries is in no scope, not even for auditors: one file can't omit the entries that one auditor may not see.
    """
    if actor.holds(Role.AUDITOR) or actor.agency == IMMIGRATION:
        return EVERYTHING
    return NOTHING if actor.agency is None else f"agency-{actor.agency}"


def reader_in(scope: str) -> Actor:
    """Return an actor for which `within_scope` gives the personal parts that belong to a scope."""
    agency = IMMIGRATION if scope == EVERYTHING else scope.removeprefix("agency-")
    return Actor(
        client_id="snapshot",
        person=None,
        roles=frozenset({Role.INTEGRATOR}),
        agency=None if scope == NOTHING else agency,
    )


def hashes(buckets: Iterable[bytes]) -> list[str]:
    """Return hashes in hexadecimal, in the same order."""
    return [each.hex() for each in buckets]
