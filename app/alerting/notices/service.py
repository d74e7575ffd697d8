"""Writing notices, also as projectors of events, and reading them after a cursor.

A projector is called with an event in its transaction. Those here add nothing to the ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.access.pending.domain import SecondAdminAsked
from app.actor import Actor
from app.alerting.notices import store
from app.alerting.notices.administration import second_admin
from app.alerting.notices.domain import (
    Notice,
    NoticeContent,
    countersign_awaited,
    ended,
    judgment_filed,
    own_name,
    pending_ended,
)
from app.alerting.notices.refusals import (
    amendment_refused,
    entry_sealed,
    rejection_considered,
    sealed_entry_met,
)
from app.alerting.notices.store import list_latest
from app.db.unit import Reader, Unit
from app.kit.ids import new_id
from app.ledger import service as ledger
from app.ledger.domain import Head, RecordType
from app.register.amendments.events import AmendmentRefused, JudgmentFiled
from app.register.entries.events import (
    CountersignAwaited,
    EntryChanged,
    OwnNameSearched,
    PendingEnded,
    RejectionConsidered,
    SealedByItself,
    SealedEntryMet,
)

__all__ = [
    "Page",
    "head",
    "list_latest",
    "notify",
    "notify_admins",
    "notify_of_judgment",
    "notify_of_own_search",
    "notify_of_pending_end",
    "notify_of_refusal",
    "notify_of_rejection",
    "notify_of_seal",
    "notify_of_sealed_entry",
    "notify_owner",
    "read_missed",
    "read_page",
]

_FEED = "-notices"
"""Suffix of the epoch in cursors of notices, which keeps them apart from cursors of the ledger."""

INITIAL_PERIOD = timedelta(hours=24)
"""A stream opened without a cursor begins with the notices of this last period."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of notices after a cursor.

    Attributes:
        records: the notices, by number.
        head: the head of the notices: their epoch and last number.
        position: number of the last notice that the reader has read or that was not for them; it becomes the next
            cursor.
        more: whether further notices follow.
    """

    records: list[Notice]
    head: Head
    position: int
    more: bool


async def notify(unit: Unit, contents: Iterable[NoticeContent]) -> Sequence[Notice]:
    """Store the notices whose keys are not stored yet, with numbers. Returns only these new notices, by number.

    The numbers are dense and in commit order. They are assigned under a lock that is held until the commit, so call
    this at the end of a transaction.
    """
    requested = {content.key: content for content in contents}
    fresh = await _without_known(unit, requested)
    if not fresh:
        return ()
    await store.lock_numbers(unit)
    fresh = await _without_known(
        unit, fresh
    )  # another transaction may have stored them before we had the lock
    size = await store.size(unit)
    notices = [
        Notice(number, new_id("ntc", unit.now), unit.now, content)
        for number, content in enumerate(fresh.values(), size + 1)
    ]
    if notices:
        await store.add(unit, notices)
    return notices


async def _without_known(reader: Reader, contents: dict[str, NoticeContent]) -> dict[str, NoticeContent]:
    known = await store.known_keys(reader, contents) if contents else set()
    return {key: content for key, content in contents.items() if key not in known}


async def notify_owner(unit: Unit, event: EntryChanged) -> None:
    """Notify the owner that an entry has ended or was rejected; do nothing if the event is about another change.

    Duty officers and approvers are notified too if the entry has lapsed. Entries that had ended before they were taken
    over from another register cause no notice.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    if event.what is RecordType.ENTRY_ENDED and event.entry.version > 1:
        await notify(unit, [ended(event.entry, unit.now)])


async def notify_duty_officers(unit: Unit, event: CountersignAwaited) -> None:
    """Notify duty officers, approvers and owner that an urgent entry waits for its countersignature.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [countersign_awaited(event.entry, unit.now)])


async def notify_of_pending_end(unit: Unit, event: PendingEnded) -> None:
    """Notify owner and approvers that a measure has ended for good after a wait for undecided papers (R68).

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [pending_ended(event.entry, event.at)])


async def notify_of_own_search(unit: Unit, event: OwnNameSearched) -> None:
    """Notify Immigration's duty officers and approvers that a user has searched for their own name (R61).

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [own_name(event.by, unit.now)])


async def notify_of_judgment(unit: Unit, event: JudgmentFiled) -> None:
    """Notify an entry's owner that another body has filed a judgment that would end the entry.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [judgment_filed(event.amendment)])


async def notify_of_rejection(unit: Unit, event: RejectionConsidered) -> None:
    """Notify an entry's owner that its request was rejected, or of a step in rejecting a countersigned entry.

    The approvers are notified too if the step is the proposal to reject the entry.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [rejection_considered(event.entry, event.act)])


async def notify_of_refusal(unit: Unit, event: AmendmentRefused) -> None:
    """Notify an entry's owner that Immigration has refused its amendment.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [amendment_refused(event.amendment)])


async def notify_of_seal(unit: Unit, event: SealedByItself) -> None:
    """Notify the persons named in an entry's seal that the entry was sealed automatically.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [entry_sealed(event.entry)])


async def notify_of_sealed_entry(unit: Unit, event: SealedEntryMet) -> None:
    """Notify the persons named in an entry's seal that a request was refused because of this entry.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [sealed_entry_met(event.entry, unit.actor, unit.now)])


async def notify_admins(unit: Unit, event: SecondAdminAsked) -> None:
    """Notify admins of a change that waits for a second admin or, if `event.confirmed`, that one has confirmed it.

    If the change is about an agency or a checkpoint, its officers are notified too.

    Called as a notifier: in the transaction of the event, after all projectors.
    """
    await notify(unit, [second_admin(event, unit.now)])


async def head(reader: Reader) -> Head:
    """Return the head of the notices: their epoch and last number. Raises HeadMissing if the ledger has no head."""
    size = await store.size(reader)
    return Head((await ledger.head(reader)).epoch + _FEED, size, size)


async def read_page(reader: Reader, cursor: str | None, limit: int, restart: str) -> Page:
    """Return the notices after a cursor that the actor may read, lowest number first, at most `limit`.

    Without a cursor the first notices are returned. Notices about entries that are sealed from the actor are omitted.
    `restart` is the path at which a reader with an invalid cursor restarts; the problem document contains it.

    Raises:
        Invalid: the cursor is malformed.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
    """
    current = await head(reader)
    after = current.position(cursor, restart)
    beyond = await store.list_after(reader, after, limit + 1, reader.actor)
    notices = [notice for notice in beyond[:limit] if notice.number <= current.size]
    more = len(beyond) > len(notices)
    position = notices[-1].number if more and notices else current.size
    return Page(notices, current, position, more=more)


async def read_missed(
    reader: Reader, actor: Actor, cursor: str | None, restart: str
) -> tuple[Head, list[Notice]]:
    """Return the head of the notices, and all notices after a cursor that an actor may read, by number.

    Without a cursor the notices are those of the last 24 hours. Notices about entries that are sealed from the actor
    are omitted. `restart` is the path at which a reader with an invalid cursor restarts; the problem document contains
    it.

    Raises:
        Invalid: the cursor is malformed.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
    """
    current = await head(reader)
    if cursor:
        after = current.position(cursor, restart)
    else:
        after = await store.last_before(reader, reader.now - INITIAL_PERIOD)
    notices: list[Notice] = []
    while True:
        batch = await store.list_after(reader, after, _BATCH_SIZE, actor)
        notices += [notice for notice in batch if notice.number <= current.size]
        if len(batch) < _BATCH_SIZE:
            return current, notices
        after = batch[-1].number


_BATCH_SIZE = 500
