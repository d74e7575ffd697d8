"""What happens to an entry while papers that arrived in time are undecided: it starts to wait, and stops (R68)."""

from app.db.unit import Unit
from app.ledger.domain import RecordType
from app.register.entries import pending, store
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, State
from app.register.entries.events import EntryChanged, PendingEnded


async def await_papers(unit: Unit, entry: Entry, papers: str, days: int) -> list[EntryChanged]:
    """Let an entry wait, past its end, for papers that its owner has just verified. Returns the changes to publish.

    Does nothing, and returns no changes, if the entry must not wait (see `pending.awaiting`).

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the entry that the papers extend or follow.
        papers: id of the extension, or of the formal entry.
        days: the deployment's `pending_days`.
    """
    after = pending.awaiting(entry.at(unit.now), papers, unit.now, days)
    if after is None:
        return []
    await store.keep(unit, after)
    return [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]


async def await_formal(unit: Unit, urgent: Entry, formal: Entry, days: int) -> list[EntryChanged]:
    """Let an urgent entry wait for its verified formal entry, if no day between them would be uncovered (R26).

    `days` is the deployment's `pending_days`. Returns the changes to publish; none if it does not wait.
    """
    return await await_papers(unit, urgent, formal.id, days) if pending.follows(formal, urgent) else []


async def countersigned(unit: Unit, urgent: Entry, days: int) -> Entry:
    """Return a countersigned urgent entry, waiting for its formal entry if that is verified already; else unchanged.

    The caller stores the entry. `days` is the deployment's `pending_days`.
    """
    for formal in await store.list_formalising(unit, urgent.id):
        if formal.state is State.VERIFIED and pending.follows(formal, urgent):
            return pending.awaiting(urgent, formal.id, unit.now, days) or urgent
    return urgent


async def give_up(unit: Unit, entry: Entry, papers: str) -> list[EntryChanged]:
    """Stop an entry's wait for papers that were returned or rejected; an entry whose period is over ends at once.

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the entry.
        papers: id of the extension, or of the formal entry.

    Returns:
        The changes to publish; none if the entry did not wait for these papers.

    Raises:
        ClockInDoubt: the clock is not plausible, and the entry waited.
    """
    waited = pending.undecided(entry, unit.now)
    after = pending.given_up(entry.at(unit.now), papers)
    if after is None:
        return []
    unit.expect_plausible()
    await store.keep(unit, after)
    changed = [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]
    current = after.at(unit.now)
    if waited and current.ended_reason is not None and current.ended_at is not None:
        ended = after.ended(current.ended_reason, unit.now, current.ended_at)
        await store.save(unit, ended, Act(current.ended_reason))
        changed.append(EntryChanged(ended, RecordType.ENTRY_ENDED, effective_at=current.ended_at))
        unit.happened(PendingEnded(ended, unit.now))
    return changed
