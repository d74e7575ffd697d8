"""Verifying the ledger: every number, leaf, commitment and stored hash."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from app.db.unit import Reader
from app.kit.canonical import canonical
from app.kit.clock import rfc3339
from app.kit.differences import Difference
from app.ledger import store
from app.ledger.domain import LEAF_FORMAT, Head, RecordType
from app.ledger.rows import count_stored, list_rows
from app.tlog import merkle

_COLUMNS: Final = ("sequence", "type", "entry_id", "version", "agency", "tombstone")
"""Columns of a record that its leaf repeats as they are."""


@dataclass(slots=True)
class LedgerVerification:
    """Verifies the ledger from its first record on: call `page` for one page after the other until `done` is true.

    Attributes:
        head: the head up to which the records are verified.
        tree: the Merkle tree of the records so far, computed from the leaves alone.
        log_seals: number of records so far that seal a batch of the query log.
    """

    head: Head
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    log_seals: int = 0
    _siblings: dict[merkle.Node, bytes] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether all records up to the head were verified."""
        return self.tree.size >= self.head.size

    async def page(
        self, reader: Reader, roots: Mapping[int, list[bytes]], limit: int
    ) -> AsyncIterator[Difference]:
        """Verify up to `limit` further records, and yield each difference that is found.

        A record must agree with its leaf, the personal part with its commitment, the stored hashes with the leaves, and
        the signed roots with the tree. A missing record is a difference that ends the verification: `done` is then
        true, and no later record is verified, because every later leaf would have another place in the tree.

        Args:
            reader: the transaction.
            roots: the signed roots, by the number of records; each is compared with the tree's root at that size.
            limit: the greatest number of records to verify.
        """
        rows = await list_rows(reader, self.tree.size, min(limit, self.head.size - self.tree.size))
        expected: dict[merkle.Node, bytes] = {}
        for row in rows:
            if row["sequence"] != self.tree.size + 1:
                break
            for what in _faults_of(row):
                yield Difference(f"ledger_record {row['sequence']}", what)
            self.log_seals += row["type"] == RecordType.SEAL and '"kind":"log"' in row["leaf"]
            leaf = merkle.leaf_hash(str(row["leaf"]).encode())
            added = merkle.completed(self.tree.size, leaf, self._siblings)
            self._siblings |= added
            expected |= added
            self.tree.add(leaf)
            for root in roots.get(self.tree.size, ()):
                if root != self.tree.root():
                    yield Difference(
                        f"signed_head {self.tree.size}", "its root is not the root of the records"
                    )
        self._forget()
        async for found in _compare(reader, expected):
            yield found
        if len(rows) == 0 or rows[-1]["sequence"] != self.tree.size:
            yield Difference(f"ledger_record {self.tree.size + 1}", "there is no record with this number")
            self.tree.size = self.head.size

    def _forget(self) -> None:
        """Keep only the hashes that later leaves need: those of the tree's peaks."""
        self._siblings = {peak: self._siblings[peak] for peak in merkle.peaks(self.tree.size)}


async def compare_totals(reader: Reader, head: Head) -> AsyncIterator[Difference]:
    """Compare what a head states with what is stored, and yield the differences.

    Compared are the number of records, the sequence of the last record about an alert, and the number of hashes.
    """
    records, last_alert, nodes = await count_stored(reader, head.size)
    if records != head.size:
        yield Difference("ledger_head", f"it counts {head.size} records, and there are {records}")
    if last_alert != head.last_alert:
        yield Difference("ledger_head", "its last alert is not the last record of an alert")
    if nodes != 2 * head.size - head.size.bit_count():
        yield Difference("ledger_node", "there are more or fewer hashes than the records complete")


async def _compare(reader: Reader, expected: Mapping[merkle.Node, bytes]) -> AsyncIterator[Difference]:
    stored = await store.nodes(reader, sorted(expected))
    for node, value in expected.items():
        if stored.get(node) != value:
            missing = "missing" if node not in stored else "not that of the leaves"
            yield Difference(f"ledger_node {node[0]}/{node[1]}", f"the hash is {missing}")


def _faults_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what contradicts itself in a record's row."""
    try:
        leaf = msgspec.json.decode(row["leaf"])
        if canonical(leaf).decode() != row["leaf"] or leaf["v"] != LEAF_FORMAT:
            yield "the leaf is not in its canonical form"
        columns = {name: row[name] for name in _COLUMNS} | {
            "at": _written(row["at"]),
            "effective_at": _written(row["effective_at"]),
        }
        for name, value in [*columns.items(), ("alert_id", row["alert_id"])]:
            if value != (leaf[name] if name in columns else leaf.get(name)):
                yield f"the column {name} differs from the leaf"
        if (row["personal"] is None) != (row["salt"] is None):
            yield "of the personal part and its salt only one is there"
        elif row["personal"] is not None:
            opened = bytes(row["salt"]) + canonical(msgspec.json.decode(row["personal"]))
            if hashlib.sha256(opened).hexdigest() != leaf["commitment"]:
                yield "the personal part is not what the leaf commits to"
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        yield "the leaf or the personal part can't be read"


def _written(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
