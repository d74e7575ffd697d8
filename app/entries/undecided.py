"""Use cases of papers that arrived in time (R68): an entry begins to wait for them, and stops."""

from app.db.unit import Unit
from app.entries import pending, store
from app.entries.domain import Entry, State
from app.entries.events import EntryChanged, PendingEnded
from app.ledger.domain import RecordType


async def await_papers(unit: Unit, entry: Entry, papers: str, days: int) -> list[EntryChanged]:
    """Let an entry wait, past its end, for papers that its owner has just verified; what follows is to be told.

    Args:
        unit: the transaction, which holds the entry.
        entry: the entry that the papers are to prolong, or to follow.
        papers: id of the extension, or of the formal entry.
        days: the deployment's `pending_days`.
    """
    after = pending.awaiting(entry.at(unit.now), papers, unit.now, days)
    if after is None:
        return []
    await store.keep(unit, after)
    return [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]


async def await_formal(unit: Unit, urgent: Entry, formal: Entry, days: int) -> list[EntryChanged]:
    """Let an urgent entry wait for its verified formal entry, unless that would leave a day out (R26)."""
    return await await_papers(unit, urgent, formal.id, days) if pending.follows(formal, urgent) else []


async def countersigned(unit: Unit, urgent: Entry, days: int) -> Entry:
    """An urgent entry that is just being countersigned, waiting for a formal entry that was verified before."""
    for formal in await store.list_formalising(unit, urgent.id):
        if formal.state is State.VERIFIED and pending.follows(formal, urgent):
            return pending.awaiting(urgent, formal.id, unit.now, days) or urgent
    return urgent


async def give_up(unit: Unit, entry: Entry, papers: str) -> list[EntryChanged]:
    """Let an entry wait no longer for papers that were returned or rejected; after its end it ends at once.

    Args:
        unit: the transaction, which holds the entry.
        entry: the entry.
        papers: id of the extension, or of the formal entry.
    """
    waited = pending.undecided(entry, unit.now)
    after = pending.given_up(entry.at(unit.now), papers)
    if after is None:
        return []
    await store.keep(unit, after)
    changed = [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]
    stands = after.at(unit.now)
    if waited and stands.ended_reason is not None and stands.ended_at is not None:
        ended = after.ended(stands.ended_reason, unit.now, stands.ended_at)
        await store.save(unit, ended, stands.ended_reason.value)
        changed.append(EntryChanged(ended, RecordType.ENTRY_ENDED, effective_at=stands.ended_at))
        unit.happened(PendingEnded(ended, unit.now))
    return changed
