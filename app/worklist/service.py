"""One list for each person: what waits for them, soonest first, and what happened to what they own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.checks.store import Seen, list_seen
from app.db.unit import Actor, Reader
from app.entries import store
from app.entries.domain import Entry
from app.entries.periods import REFUSAL_WITHIN, over_at
from app.entries.views import ALL_ENTRIES
from app.settings import Settings

_MOST = 500


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for the reader.

    Attributes:
        kind: what is to be done.
        due_at: when the law or the deployment wants it done; None without a limit.
    """

    kind: str
    entry_id: str
    due_at: datetime | None
    since: datetime


async def tasks(reader: Reader, settings: Settings) -> list[Task]:
    """What waits for the actor, soonest first.

    What they may not do for want of a second pair of eyes is left out.
    """
    actor = reader.actor
    found: list[Task] = []
    if actor.holds("submitter"):
        found += await _of_submitters(reader)
    if actor.holds("verifier"):
        waiting = await _list(reader, "submitted", agency=actor.agency)
        found += [_task("verify", e) for e in waiting if actor.person not in e.authors]
    if actor.holds("approver"):
        waiting = await _list(reader, "verified")
        found += [_task("approve", e) for e in waiting if actor.person not in _decided_by(e)]
    if actor.holds("duty_officer"):
        found += await _of_duty_officers(reader, timedelta(hours=settings.countersign_within_hours))
    found.sort(key=lambda task: (task.due_at is None, task.due_at or task.since))
    return found[:_MOST]


async def _of_submitters(reader: Reader) -> list[Task]:
    agency = reader.actor.agency
    returned = await _list(reader, "returned", agency=agency)
    provisional = await _list(reader, "provisional", agency=agency, urgent=True)
    return [
        *(Task("resubmit", entry.id, None, entry.updated_at) for entry in returned),
        *(Task("formalise", entry.id, _lapse(entry), entry.created_at) for entry in provisional),
    ]


async def _of_duty_officers(reader: Reader, within: timedelta) -> list[Task]:
    return [
        Task("countersign", entry.id, entry.received_at + within, entry.created_at)
        for state in ("provisional", "submitted")
        for entry in await _list(reader, state, urgent=True)
        if entry.countersigned_at is None and reader.actor.person not in entry.authors
    ]


def _task(kind: str, entry: Entry) -> Task:
    due_at = min(over_at(entry.starts_on), entry.received_at + REFUSAL_WITHIN)
    return Task(kind, entry.id, due_at, entry.updated_at)


def _decided_by(entry: Entry) -> set[str | None]:
    return {*entry.authors, entry.verified_by, *entry.approved_by}


async def shut(reader: Reader) -> frozenset[str]:
    """The ids of the entries whose seal keeps the actor out: no notice tells of them."""
    return await store.list_closed(reader)


async def notices(checks: Reader, limit: int, shut: Collection[str]) -> list[Seen]:
    """Hits and sightings of the actor's agency's entries, newest first; of all for those who see all.

    Args:
        checks: a transaction on the checks.
        limit: at most so many.
        shut: entries of which the actor is not told.
    """
    actor: Actor = checks.actor
    if actor.holds(*ALL_ENTRIES):
        agency = None
    elif actor.agency and actor.holds("submitter", "verifier", "supervisor"):
        agency = actor.agency
    else:
        return []
    return [seen for seen in await list_seen(checks, agency, limit) if seen.entry_id not in shut]


async def _list(
    reader: Reader, state: str, *, agency: str | None = None, urgent: bool = False
) -> list[Entry]:
    entries = await store.list_in_states(reader, [state], agency=agency, urgent=urgent, limit=_MOST)
    return [entry for entry in entries if entry.at(reader.now).state is entry.state]


def _lapse(entry: Entry) -> datetime | None:
    return over_at(entry.ends_on) if entry.ends_on else None
