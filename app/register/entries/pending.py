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
    """Return whether checks stop the person: the measure is in force, or its papers are undecided."""
    return entry.in_force(now) or undecided(entry, now)


def shown_until(entry: Entry, now: datetime) -> datetime | None:
    """Return until when the measure is undecided, for display at counters; None while in force, or once ended."""
    return entry.pending_until if undecided(entry, now) else None


def awaiting(entry: Entry, papers: str, at: datetime, days: int) -> Entry | None:
    """Return the entry waiting for papers that its owner has just verified; None where it must not wait.

    It waits past one end only, never past the end of an urgent entry without a countersignature, and not where the end
    has already passed. The version stays the same, because the content does.

    Args:
        entry: the entry that the papers extend or follow.
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
    """Return the entry without its wait for the papers with the id `papers`; None if it did not wait for them."""
    if entry.waiting is None or entry.waiting.papers != papers:
        return None
    return entry.replace(waiting=None)


def pause_of(entry: Entry, at: datetime) -> Pause | None:
    """Return the pause that an entry has once its extension is approved at `at`; None for none.

    It runs from the entry's end to `at` where the entry waits for papers (R68): checks only referred in that time.
    Otherwise the entry keeps its earlier pause, or None.
    """
    over = entry.over_at
    return Pause(over, at) if over is not None and undecided(entry, at) else entry.pause


def follows(formal: Entry, urgent: Entry) -> bool:
    """Return whether a formal entry begins no later than the day after the urgent one, so that no day is uncovered."""
    return urgent.ends_on is not None and formal.starts_on <= urgent.ends_on + timedelta(days=1)
