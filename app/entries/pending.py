"""Papers that arrived in time and are undecided at the measure's end: checks refer, never refuse (R68); pure.

Only a decision that arrives late lets a measure end (Permenimipas 13/2025 art. 13(4)-(6)). Past the lawful term
nothing refuses all the same; so for some days (`pending_days`) a traveller is taken to the supervisor, until
Immigration has decided.
"""

from datetime import datetime, timedelta

from app.entries.domain import Entry
from app.entries.waiting import Pause, Waiting


def undecided(entry: Entry, now: datetime) -> bool:
    """Whether the measure's period is over and papers that arrived in time still wait for their decision."""
    over, until = entry.over_at, entry.pending_until
    return over is not None and until is not None and over <= now < until


def stops(entry: Entry, now: datetime) -> bool:
    """Whether anybody is stopped for it: it is in force, or its papers are undecided."""
    return entry.in_force(now) or undecided(entry, now)


def shown_until(entry: Entry, now: datetime) -> datetime | None:
    """What a counter is to know: until when it is undecided; None while it is in force, or has ended."""
    return entry.pending_until if undecided(entry, now) else None


def awaiting(entry: Entry, papers: str, at: datetime, days: int) -> Entry | None:
    """The entry waiting for papers that its owner has just verified; None where it doesn't.

    It waits past one end at most, never past the end of an urgent entry that nobody countersigned, and not where the
    owner was late: then the end has passed. Its version stays, because its content does.

    Args:
        entry: the entry that the papers are to prolong, or to follow.
        papers: id of the extension, or of the formal entry.
        at: when they were verified.
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
    """The entry once papers that it waits for were returned or rejected; None where it doesn't wait for them."""
    if entry.waiting is None or entry.waiting.papers != papers:
        return None
    return entry.replace(waiting=None)


def pause_of(entry: Entry, at: datetime) -> Pause | None:
    """When nobody was refused for an entry whose extension is approved at an instant; None without such a time."""
    over = entry.over_at
    return Pause(over, at) if over is not None and undecided(entry, at) else entry.pause


def follows(formal: Entry, urgent: Entry) -> bool:
    """Whether a formal entry begins at the latest on the day after the urgent one, so that no day is left out."""
    return urgent.ends_on is not None and formal.starts_on <= urgent.ends_on + timedelta(days=1)
