"""Use cases of retention: erase the photo, erase the person. Each runs in one transaction, for one entry.

What is kept about a person beside their entry is erased with it here: a module that keeps more adds its
erasure.
"""

from collections.abc import Sequence
from datetime import datetime

from app.access.service import record
from app.alerts import service as alerts
from app.amendments import service as amendments
from app.clearances import service as clearances
from app.db.unit import Reader, Unit
from app.entries import retained
from app.entries import store as entry_store
from app.entries.domain import Entry
from app.entries.erasure import erased
from app.entries.events import EntryErased
from app.entries.retained import Position
from app.ledger import service as ledger
from app.objections import service as objections
from app.rectifications import service as rectifications
from app.retention.domain import Stage, ended_by
from app.settings import Settings

__all__ = ["Stage", "erase", "list_due"]

_PHOTO: Sequence[str] = ("photo",)
_ALL: Sequence[str] = ("photo", "letter", "citizenship_loss", "judgment")


async def list_due(
    reader: Reader, stage: Stage, settings: Settings, after: Position | None, limit: int
) -> list[Position]:
    """Entries whose stage is due, longest ended first, behind a position; also those that are held back.

    A returned request that nobody takes up again is over with its return.
    """
    until = ended_by(stage, settings, reader.now)
    return [] if until is None else await retained.list_ended(reader, stage, until, after, limit)


async def erase(unit: Unit, entry_id: str, stage: Stage, settings: Settings) -> bool:
    """Erase an entry up to a stage, once; whether it was done.

    It is not while the entry is part of a process: an objection or a correction request waits for its answer, or
    a formal entry that rests on it has not itself come to this point.

    Raises:
        NotFound: there is no such entry.
    """
    entry = await entry_store.lock(unit, entry_id)
    until = ended_by(stage, settings, unit.now)
    if until is None or _rests_less(entry, until):
        return False
    if await retained.stage_of(unit, entry_id) >= stage or await _held(unit, entry, until):
        return False
    if stage is Stage.PHOTO:
        photos = await retained.erase_blobs(unit, entry_id, _PHOTO)
        if photos:
            await record(unit, "photo.erased", entry_id, {"photos": photos})
    else:
        await _erase_person(unit, entry)
    await retained.mark(unit, entry_id, stage)
    await unit.conclude()
    return True


async def _held(reader: Reader, entry: Entry, until: datetime) -> bool:
    if await objections.has_open(reader, entry.id) or await rectifications.has_open(reader, entry.id):
        return True
    formal = await entry_store.list_formalising(reader, entry.id)
    return any(other.erased_at is None and _rests_less(other, until) for other in formal)


def _rests_less(entry: Entry, until: datetime) -> bool:
    return entry.rests_since is None or entry.rests_since > until


async def _erase_person(unit: Unit, entry: Entry) -> None:
    """The ledger keeps its leaves and hashes; it loses what the leaves only commit to, and tells it."""
    await retained.erase_person(unit, entry.id)
    await retained.erase_blobs(unit, entry.id, _ALL)
    for feature in (amendments, clearances, objections, rectifications, alerts):
        await feature.erase_of_entry(unit, entry.id)
    await ledger.erase_of_entry(unit, entry.id)
    left = erased(entry, unit.now)
    await entry_store.save(unit, left, "erased")
    await record(unit, "entry.erased", entry.id, {"version": left.version})
    unit.happened(EntryErased(left))
