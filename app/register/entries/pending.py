"""Papers that arrived in time and are undecided at the measure's end: checks refer, never refuse (R68; no I/O).

Only a decision that arrives late lets a measure end (Permenimipas 13/2025 art. 13(4)-(6)). Still, nothing may
refuse a traveller after the lawful term; so for some days (`pending_days`) checks refer the traveller to the
supervisor, until Immigration has decided.
"""

from datetime import datetime, timedelta

from app.register.entries.domain import Entry
from app.register.entries.waiting import Pause, Waiting


def undecided(entry: Entry, now: datetime) -> bool:
    """Return whether the measure's period is over and papers that arrived in time still wait for their decision."""
    over, until = entry.over_at, entry.pending_until
    return over is not None and until is not None and over <= now < until


def stops(entry: Entry, now: datetime) -> bool:
    """Return whether checks stop the person at `now`: the measure is in force, or over with undecided papers (R68)."""
    return entry.in_force(now) or undecided(entry, now)


def shown_until(entry: Entry, now: datetime) -> datetime | None:
    """Return until when checks still refer the person of an entry that is over with undecided papers (R68).

    Counters show it. None for any other entry.
    """
    return entry.pending_until if undecided(entry, now) else None


def awaiting(entry: Entry, papers: str, at: datetime, days: int) -> Entry | None:
    """Return a copy of the entry that waits for papers that its owner has just verified; None if it must not wait.

    The copy has `waiting` set and the same version. After its end checks still refer, until Immigration has decided on
    the papers or `days` days are over (R68). The entry must not wait if it does not run, if its period is over or has
    no end, if it is urgent without a countersignature, if its formal entry is approved, or if it has waited past an end
    before.

    Args:
        entry: the entry that the papers extend or follow.
        papers: id of the verified extension, or of the verified formal entry.
        at: when the papers were verified.
        days: the deployment's `pending_days`; 0 switches the rule off.
    """
    unsigned = entry.urgent and entry.countersigned_at is None
    over = entry.over_at
    late = over is None or over <= at
    if days == 0 or unsigned or late or entry.pause is not None or entry.superseded_from is not None:
        return None
    after = entry.replace(waiting=Waiting(papers, days))
    return None if after.pending_until is None else after


def given_up(entry: Entry, papers: str) -> Entry | None:
    """Return a copy of an entry that waits for these papers, without the wait; None if it does not wait for them.

    `papers` is the id of the extension, or of the formal entry.
    """
    if entry.waiting is None or entry.waiting.papers != papers:
        return None
    return entry.replace(waiting=None)


def pause_of(entry: Entry, at: datetime) -> Pause | None:
    """Return the pause of an entry whose extension is approved at the instant `at`; None if it has none.

    If the entry is over and waits for papers (R68), the pause is the time from its end to `at`, in which checks only
    referred. Otherwise it is the entry's earlier pause, if any.
    """
    over = entry.over_at
    return Pause(over, at) if over is not None and undecided(entry, at) else entry.pause


def follows(formal: Entry, urgent: Entry) -> bool:
    """Return whether a formal entry begins at latest on the day after the urgent entry's last day, without a gap."""
    return urgent.ends_on is not None and formal.starts_on <= urgent.ends_on + timedelta(days=1)
