"""SQL statements on sealed digests and on orders of snapshots."""

from datetime import datetime

from sqlalchemy import Row, Select, delete, desc, func, insert, select

from app.db.unit import Reader, Unit
from app.sync.snapshots.domain import Digest, SealedDigest, parted
from app.sync.snapshots.tables import sealed_digest, snapshot_order

_SEALED = select(
    sealed_digest.c.sequence,
    sealed_digest.c.entries,
    sealed_digest.c.records,
    sealed_digest.c.buckets,
    sealed_digest.c.seal,
    sealed_digest.c.sealed_at,
)


async def add(unit: Unit, digest: Digest, seal: int) -> None:
    """Store a digest, and the sequence `seal` of the record that seals it."""
    values = {
        "sequence": digest.sequence,
        "seal": seal,
        "entries": digest.entries,
        "records": digest.records,
        "buckets": b"".join(digest.buckets),
        "sealed_at": unit.now,
    }
    await unit.run(insert(sealed_digest).values(**values))


async def newest_sequence(reader: Reader) -> int:
    """Return the sequence of the newest digest; 0 before the first."""
    statement = select(sealed_digest.c.sequence).order_by(desc(sealed_digest.c.sequence)).limit(1)
    return (await reader.run(statement)).scalar_one_or_none() or 0


async def newest_within(reader: Reader, size: int) -> SealedDigest | None:
    """Return the newest digest whose seal is among the first `size` records; None without one."""
    within = _SEALED.where(sealed_digest.c.seal <= size).order_by(desc(sealed_digest.c.seal))
    return await _first(reader, within)


async def find(reader: Reader, sequence: int) -> SealedDigest | None:
    """Return the sealed digest of the state at a sequence; None if none was sealed."""
    return await _first(reader, _SEALED.where(sealed_digest.c.sequence == sequence))


async def find_sealed_by(reader: Reader, seal: int) -> SealedDigest | None:
    """Return the digest that the record with the sequence `seal` seals; None if the record seals none."""
    return await _first(reader, _SEALED.where(sealed_digest.c.seal == seal))


async def count(reader: Reader, size: int) -> int:
    """Return the number of digests whose seals are among the ledger's first `size` records."""
    statement = select(func.count()).select_from(sealed_digest).where(sealed_digest.c.seal <= size)
    return int((await reader.run(statement)).scalar_one())


async def find_order(reader: Reader) -> datetime | None:
    """Return when an admin ordered the snapshot that is still to be made; None without an order."""
    at: datetime | None = (await reader.run(select(snapshot_order.c.ordered_at))).scalar_one_or_none()
    return at


async def add_order(unit: Unit) -> None:
    """Store that an admin orders a snapshot now, unless there is an order already."""
    values = {"id": 1, "ordered_at": unit.now}
    await unit.run(unit.inserting(snapshot_order).values(**values).on_conflict_do_nothing())


async def end_order(unit: Unit, ordered_at: datetime) -> None:
    """Delete the order of a snapshot that was given at `ordered_at`; a later order stays."""
    await unit.run(delete(snapshot_order).where(snapshot_order.c.ordered_at == ordered_at))


async def _first(
    reader: Reader, statement: Select[*tuple[int, int, int, bytes, int, datetime]]
) -> SealedDigest | None:
    row = (await reader.run(statement.limit(1))).first()
    return None if row is None else _sealed(row)


def _sealed(row: Row[*tuple[int, int, int, bytes, int, datetime]]) -> SealedDigest:
    sequence, entries, records, buckets, seal, sealed_at = row
    return SealedDigest(Digest(sequence, entries, records, parted(bytes(buckets))), seal, sealed_at)
