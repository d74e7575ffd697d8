"""Use cases of retention: erase the photo or the personal data of one entry, each in one transaction.

Personal data in the tables of other features are erased together with the entry, by projectors of `EntryErased` (see
`wiring`): a feature that stores such data must follow that event too.
"""

from collections.abc import Sequence
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.casework.retention.domain import Stage, ended_by
from app.db.pages import Position
from app.db.unit import Reader, Unit
from app.register.amendments.waiting import needs_person
from app.register.entries import erasure_store as retained
from app.register.entries import store as entry_store
from app.register.entries.acts import Act
from app.register.entries.domain import Entry
from app.register.entries.erasure import erased
from app.register.entries.events import EntryErased
from app.register.objections import service as objections
from app.register.rectifications import service as rectifications
from app.settings import Settings

__all__ = ["Stage", "erase", "list_due"]

_PHOTO: Sequence[str] = ("photo",)
_ALL: Sequence[str] = ("photo", "letter", "citizenship_loss", "judgment")


async def list_due(
    reader: Reader, after: Position | None, limit: int, *, stage: Stage, settings: Settings
) -> list[Position]:
    """Return the entries for which a stage of erasure is due, as pairs of (time of end, entry id), earliest end first.

    At most `limit`, only pairs after the pair `after` (None: from the beginning). Entries for which the stage is done
    are left out; entries that `erase` can't erase yet are included. A request that was returned, and not submitted
    again, counts as ended with the return.
    """
    until = ended_by(stage, settings, reader.now)
    return [] if until is None else await retained.list_ended(reader, stage, until, after, limit)


async def erase(unit: Unit, entry_id: str, stage: Stage, settings: Settings) -> bool:
    """Erase an entry up to a stage, unless the stage is not due, was done before, or cannot be done yet.

    It cannot be done while an objection or a correction request about the entry waits for its answer, while an
    undecided amendment may still take effect (an acquittal also closes the case), or while an entry or request that
    formalises this urgent entry is neither erased nor due for the same stage. `Stage.PERSON` erases the photo, the
    entry's other files, and all data about the person, also those of other features.

    Returns:
        True if the entry was erased by this call; False if nothing was done.

    Raises:
        NotFound: the entry does not exist.
    """
    entry = await entry_store.lock(unit, entry_id)
    until = ended_by(stage, settings, unit.now)
    if until is None or _not_due(entry, until):
        return False
    if await retained.stage_of(unit, entry_id) >= stage or await _held(unit, entry, until):
        return False
    if stage is Stage.PHOTO:
        photos = await retained.erase_blobs(unit, entry_id, _PHOTO)
        if photos:
            await record(unit, AuditAct.PHOTO_ERASED, entry_id, {"photos": photos})
    else:
        await _erase_person(unit, entry)
    await retained.store_stage(unit, entry_id, stage)
    await unit.conclude()
    return True


async def _held(reader: Reader, entry: Entry, until: datetime) -> bool:
    if await objections.has_open(reader, entry.id) or await rectifications.has_open(reader, entry.id):
        return True
    if await needs_person(reader, entry):
        return True
    formal = await entry_store.list_formalising(reader, entry.id)
    return any(other.erased_at is None and _not_due(other, until) for other in formal)


def _not_due(entry: Entry, until: datetime) -> bool:
    return entry.rests_since is None or entry.rests_since > until


async def _erase_person(unit: Unit, entry: Entry) -> None:
    """Erase the personal data of an entry in every feature, and record that; the ledger keeps its leaves and hashes."""
    await retained.erase_person(unit, entry.id)
    await retained.erase_blobs(unit, entry.id, _ALL)
    left = erased(entry, unit.now)
    await entry_store.save(unit, left, Act.ERASED)
    await record(unit, AuditAct.ENTRY_ERASED, entry.id, {"version": left.version})
    unit.happened(EntryErased(left))
