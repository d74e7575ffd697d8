"""What happens to an entry while papers that arrived in time are undecided: it starts to wait, and stops (R68)."""

from app.db.unit import Unit
from app.ledger.domain import RecordType
from app.register.entries import pending, store
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, State
from app.register.entries.events import EntryChanged, PendingEnded


async def await_papers(unit: Unit, entry: Entry, papers: str, days: int) -> list[EntryChanged]:
    """Store that an entry waits for papers that its owner has just verified. Returns the changes to publish.

    After the entry's end checks then still refer, until Immigration has decided on the papers or `days` days are over
    (R68). Does nothing, and returns no changes, if the entry must not wait (see `pending.awaiting`).

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the entry that the papers extend or follow.
        papers: id of the extension, or of the formal entry.
        days: the deployment's `pending_days`.
    """
    after = pending.awaiting(entry.at(unit.now), papers, unit.now, days)
    if after is None:
        return []
    await store.save_waiting(unit, after)
    return [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]


async def await_formal(unit: Unit, urgent: Entry, formal: Entry, days: int) -> list[EntryChanged]:
    """Store that an urgent entry waits for its verified formal entry (R68). Returns the changes to publish.

    Does nothing, and returns no changes, if the formal entry begins later than the day after the urgent entry's last
    day, or if the urgent entry must not wait (see `pending.awaiting`). `days` is the deployment's `pending_days`.
    """
    return await await_papers(unit, urgent, formal.id, days) if pending.follows(formal, urgent) else []


async def countersigned(unit: Unit, urgent: Entry, days: int) -> Entry:
    """Return a countersigned urgent entry, with `waiting` set if its formal entry is verified already (R68).

    It is returned unchanged if no formal entry is verified that begins at latest on the day after the urgent entry's
    last day, or if the urgent entry must not wait (see `pending.awaiting`). The caller stores the entry. `days` is the
    deployment's `pending_days`.
    """
    for formal in await store.list_formalising(unit, urgent.id):
        if formal.state is State.VERIFIED and pending.follows(formal, urgent):
            return pending.awaiting(urgent, formal.id, unit.now, days) or urgent
    return urgent


async def give_up(unit: Unit, entry: Entry, papers: str) -> list[EntryChanged]:
    """Store that an entry no longer waits for papers, because they were returned or rejected (R68).

    If the entry's period is over, the entry ends at once. The caller publishes the changes, which alert checkpoints.

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the entry.
        papers: id of the extension, or of the formal entry.

    Returns:
        The changes to publish; none if the entry did not wait for these papers.

    Raises:
        ClockInDoubt: the clock is not plausible, and the entry waited for these papers.
    """
    waited = pending.undecided(entry, unit.now)
    after = pending.given_up(entry.at(unit.now), papers)
    if after is None:
        return []
    unit.expect_plausible()
    await store.save_waiting(unit, after)
    changed = [EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False)]
    current = after.at(unit.now)
    if waited and current.ended_reason is not None and current.ended_at is not None:
        ended = after.ended(current.ended_reason, unit.now, current.ended_at)
        await store.save(unit, ended, Act(current.ended_reason))
        changed.append(EntryChanged(ended, RecordType.ENTRY_ENDED, effective_at=current.ended_at))
        unit.happened(PendingEnded(ended, unit.now))
    return changed
