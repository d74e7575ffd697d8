"""The digest of a state as the API describes it, and a snapshot's lines held against it; pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.conformance.findings import Failed
from app.kit.canonical import canonical
from app.tlog import merkle

Json = dict[str, Any]

_BUCKETS = 256


@dataclass(slots=True)
class StateDigest:
    """Computes the digest of the register's state: a Merkle root over 256 groups of records, the buckets.

    The state is the newest record of each listed entry and of each clearance ("not the same person") of an entry. The
    records are added in the order of a snapshot, which is that of the entries' ids.

    Attributes:
        records: the number of records that were added.
        entries: the number of entries that these records are about.
    """

    records: int = 0
    entries: int = 0
    _trees: list[merkle.Tree] = field(default_factory=lambda: [merkle.Tree() for _ in range(_BUCKETS)])
    _last: str = ""

    def add(self, record: Json) -> None:
        """Add the next record of the state.

        Raises:
            Failed: its entry's id is smaller than that of the record before.
        """
        entry_id = record["entry_id"]
        if entry_id < self._last:
            raise Failed(f"The entry {entry_id} comes behind {self._last}.")
        self.entries += entry_id != self._last
        self.records += 1
        self._last = entry_id
        bucket = hashlib.sha256(entry_id.encode()).digest()[0]
        self._trees[bucket].add(merkle.leaf_hash(canonical(record["leaf"])))

    @property
    def buckets(self) -> list[bytes]:
        """The Merkle root of each bucket, from 0 to 255. A record's bucket is the first byte of its entry id's hash."""
        return [tree.root() for tree in self._trees]

    @property
    def root(self) -> bytes:
        """The digest's root: the Merkle root over the roots of the buckets."""
        return merkle.root_of_leaves([merkle.leaf_hash(bucket) for bucket in self.buckets])


def digest_of(records: Iterable[Json]) -> StateDigest:
    """Return the digest of the register's state, given all its records in the order of a snapshot.

    Raises:
        Failed: the records are not in the order of their entries' ids.
    """
    digest = StateDigest()
    for each in records:
        digest.add(each)
    return digest
