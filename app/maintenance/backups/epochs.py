"""The new epoch of a restored register, by which readers notice the restoration and start again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.store import bump
from app.alerting.notices.administration import register_restored
from app.alerting.notices.service import notify
from app.db.unit import Unit
from app.kit.clock import rfc3339
from app.ledger import service as ledger
from app.ledger.domain import Draft, RecordType
from app.sync.heads.domain import checkpoint_of
from app.sync.heads.service import newest_head

_BEYOND: Final = 1_000_000
"""Amount by which a restoration raises the access version. A process that is still running caches callers under a
version that it counted up from the same number, and must not meet that version again."""


@dataclass(frozen=True, slots=True)
class EpochBegun:
    """An event: the register was restored and goes on in a new epoch.

    Attributes:
        old: the previous epoch; None if it is not known.
        new: the epoch that has begun.
        size: the number of records in the restored ledger.
    """

    old: str | None
    new: str
    size: int


async def begin_epoch(unit: Unit, moment: datetime, old: str | None = None) -> EpochBegun:
    """Begin a new epoch, record it in the ledger and the audit trail, and notify duty officers and admins.

    The function calls `unit.conclude` itself.

    Args:
        unit: a transaction on the restored register.
        moment: the moment of the backup; acts acknowledged after it may be lost.
        old: the previous epoch; None if it is not known. Used only if the restored ledger has no head, because a head
            contains the previous epoch.

    Returns:
        The event, which has been reported to the unit.
    """
    before, now = await ledger.begin_epoch(unit)
    begun = EpochBegun(before.epoch if before else old, now.epoch, now.size)
    await bump(unit, _BEYOND)
    detail = {"old_epoch": begun.old, "epoch": begun.new, "kept": begun.size, "moment": rfc3339(moment)}
    await record(unit, AuditAct.REGISTER_RESTORED, None, detail)
    await notify(unit, [register_restored(begun.new, moment)])
    unit.happened(begun)
    await unit.conclude()
    return begun


async def publish_epoch(unit: Unit, event: EpochBegun) -> Sequence[Draft]:
    """Return the draft of the ledger record about a new epoch (API section 6); it concerns no entry or person.

    This is a projector: a function called with an event in its transaction. The record contains the newest signed head
    of the old epoch that the restored register has. A reader that knows a later head of that epoch sees from the record
    that records were lost.
    """
    signed = await newest_head(unit, event.old) if event.old else None
    return [
        Draft(
            type=RecordType.REGISTER_RESTORED,
            entry_id=None,
            version=None,
            agency=None,
            facts={
                "old_epoch": event.old,
                "epoch": event.new,
                "old_origin": checkpoint_of(signed).origin if signed else None,
                "old_size": signed.size if signed else None,
                "old_root": signed.root.hex() if signed else None,
            },
            personal={},
        )
    ]
