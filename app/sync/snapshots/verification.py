"""Verifying sealed digests against the records that seal them, and against the records from which they are computed."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from app.access.domain import SYSTEM
from app.kit.differences import Difference
from app.ledger import service as ledger
from app.ledger.domain import Head, LedgerBroken, RecordType, Selection
from app.runtime import Runtime
from app.sync.snapshots import store
from app.sync.snapshots.domain import is_seal_of, leaves_of
from app.sync.snapshots.service import compute

_PAGE: Final = 100
_SEALS: Final = Selection(types=frozenset({RecordType.SEAL.value}))
_MOST_COMPUTED: Final = 1000
"""Digests that are computed again at most, the newest first."""


@dataclass(slots=True)
class DigestVerification:
    """Verifies the digests that are sealed up to a head of the ledger: call `compare_seals`, then `compute_again`.

    Attributes:
        head: the head; seals after it are ignored.
        records: `compute_again` stops after it has read about this number of records.
        digests: number of digests that were compared with the records that seal them.
        computed: number of digests that were computed again from the ledger's records.
    """

    head: Head
    records: int
    digests: int = 0
    computed: int = 0
    _newest: deque[tuple[int, Mapping[str, Any]]] = field(
        default_factory=lambda: deque(maxlen=_MOST_COMPUTED)
    )

    async def compare_seals(self, runtime: Runtime) -> AsyncIterator[Difference]:
        """Compare each ledger record that seals a digest with the stored digest, and yield the differences.

        A digest without a record that seals it is a difference too.
        """
        cursor: str | None = None
        more = True
        while more:
            async with runtime.reading(SYSTEM) as reader:
                page = await ledger.read_changes(reader, cursor, _PAGE, "", _SEALS)
                for record in page.records:
                    if (leaf := _leaf_of(record.leaf)) is None or record.sequence > self.head.size:
                        continue
                    self.digests += 1
                    self._newest.append((record.sequence, leaf))
                    sealed = await store.find_sealed_by(reader, record.sequence)
                    where = f"sealed_digest of record {record.sequence}"
                    if sealed is None:
                        yield Difference(where, "there is no digest that the record seals")
                    elif sealed.digest.seal != leaf["seal"]:
                        yield Difference(where, "it is not the digest that the record seals")
            cursor, more = page.head.cursor(page.position), page.more
        async with runtime.reading(SYSTEM) as reader:
            if await store.count(reader, self.head.size) > self.digests:
                yield Difference("sealed_digest", "there are digests that no record seals")

    async def compute_again(self, runtime: Runtime) -> AsyncIterator[Difference]:
        """Compute digests again from the ledger's records, newest first, and yield those that differ from their seals.

        It ends when about `records` records were read, or after the newest 1000 digests that `compare_seals` has found.
        """
        left = self.records
        while self._newest and left > 0:
            seal, leaf = self._newest.pop()
            sequence = leaf["seal"].get("sequence")
            where = f"ledger_record {seal}"
            if not isinstance(sequence, int) or not 0 < sequence < seal:
                yield Difference(where, "it seals the digest of no state before it")
                continue
            self.computed += 1
            try:
                computed = await compute(runtime, sequence)
            except LedgerBroken as error:
                yield Difference(where, str(error))
                continue
            left -= computed.digest.records
            if computed.digest.seal != leaf["seal"] or leaves_of(leaf) not in {None, computed.leaves}:
                yield Difference(
                    where, f"the digest that it seals is not that of the first {sequence} records"
                )


def _leaf_of(leaf: str) -> Mapping[str, Any] | None:
    """Return the leaf of a record that seals a digest; None for another record, or one that can't be read."""
    try:
        read = msgspec.json.decode(leaf)
    except msgspec.DecodeError:
        return None
    return read if isinstance(read, dict) and is_seal_of(read) else None
