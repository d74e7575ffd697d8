"""The arrival of an extension in the register, stored with its entry as a duty that was done in time (R23)."""

from app.db.unit import Unit
from app.register.amendments.domain import OPEN, Amendment, AmendmentKind, AmendmentState
from app.register.entries.duties import store as recorded
from app.register.entries.duties.store import Duty
from app.register.entries.law.deadlines import DeadlineName


async def note_arrival(unit: Unit, filed: Amendment) -> None:
    """Store that an extension has reached the register, which its deadline requires; other kinds change nothing."""
    if filed.kind is not AmendmentKind.EXTENSION:
        return
    duty = Duty(
        name=DeadlineName.EXTEND_BEFORE,
        version=filed.entry_version,
        done_at=unit.now,
        reference=filed.id,
        note=None,
        by=unit.actor.client_id,
        person=unit.actor.person,
        recorded_at=unit.now,
    )
    await recorded.add(unit, filed.entry_id, duty)


async def forget_arrival(unit: Unit, decided: Amendment) -> None:
    """Delete the record that an extension arrived in time, so that the deadline for an extension runs again.

    This is done if `decided` is an extension that is no longer open, or an approved correction of the entry's last day,
    after which an extension of the former last day can't be approved. Otherwise nothing is done. Must be called before
    the changed entry is stored.

    Args:
        unit: the transaction, which holds the entry's lock.
        decided: an amendment of the entry, after a decision on it.
    """
    if decided.kind is AmendmentKind.EXTENSION:
        over = decided.state not in OPEN
    else:
        corrected_on = decided.correction and decided.correction.ends_on
        over = corrected_on is not None and decided.state is AmendmentState.APPROVED
    if over:
        await recorded.take_back(unit, decided.entry_id, DeadlineName.EXTEND_BEFORE)
