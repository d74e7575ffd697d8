"""Use cases of notices: tell, and read on from a cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.access.pending import SecondAdminAsked
from app.amendments.events import AmendmentRefused, JudgmentFiled
from app.db.unit import Actor, Reader, Unit
from app.entries.events import (
    EntryChanged,
    OwnNameSearched,
    PendingEnded,
    RejectionConsidered,
    SealedByItself,
    SealedEntryMet,
)
from app.errors import CursorGone
from app.kit.ids import new_id
from app.ledger import service as ledger
from app.ledger.domain import Draft as LedgerDraft
from app.ledger.domain import Head, RecordType
from app.notices import store
from app.notices.administration import second_admin
from app.notices.domain import Draft, Notice, ended, judgment_filed, own_name, pending_ended
from app.notices.refusals import amendment_refused, entry_sealed, rejection_considered, sealed_entry_met
from app.notices.store import list_latest

__all__ = [
    "Page",
    "follow_admins",
    "follow_entry",
    "follow_judgment",
    "follow_meeting",
    "follow_pending",
    "follow_refusal",
    "follow_rejection",
    "follow_seal",
    "follow_search",
    "head",
    "list_latest",
    "missed_by",
    "position",
    "read_page",
    "tell",
]

_FEED = "-notices"
"""What makes the cursors of notices others than the ledger's, whose numbers have nothing to do with these."""

STANDING = timedelta(hours=24)
"""Notices not older than this are sent to a stream that names no cursor."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some notices beyond a cursor, and where they ended when they were read."""

    records: list[Notice]
    head: Head
    position: int
    more: bool


async def tell(unit: Unit, drafts: Iterable[Draft]) -> Sequence[Notice]:
    """Write down what officers are to be told, each fact once; gives what is new.

    Numbers are dense and in commit order: they are taken under one lock that is held until the commit, so the
    transaction should do nothing slow behind this.
    """
    wanted = {draft.key: draft for draft in drafts}
    fresh = await _untold(unit, wanted)
    if not fresh:
        return ()
    await store.hold_numbers(unit)
    fresh = await _untold(unit, fresh)  # somebody else may have told it before we had the lock
    size = await store.size(unit)
    notices = [
        Notice(number, new_id("ntc", unit.now), unit.now, draft)
        for number, draft in enumerate(fresh.values(), size + 1)
    ]
    if notices:
        await store.add(unit, notices)
    return notices


async def _untold(reader: Reader, drafts: dict[str, Draft]) -> dict[str, Draft]:
    known = await store.known_keys(reader, drafts) if drafts else set()
    return {key: draft for key, draft in drafts.items() if key not in known}


async def follow_entry(unit: Unit, event: EntryChanged) -> Sequence[LedgerDraft]:
    """Tell the owner of an end. A projector: it adds nothing to the ledger, where the end itself stands.

    What was over before this register had it (a takeover) is no news.
    """
    if event.what is RecordType.ENTRY_ENDED and event.entry.version > 1:
        await tell(unit, [ended(event.entry, unit.now)])
    return ()


async def follow_pending(unit: Unit, event: PendingEnded) -> Sequence[LedgerDraft]:
    """Tell owner and approvers that a measure whose papers were undecided has ended for good (R68). A projector."""
    await tell(unit, [pending_ended(event.entry, event.at)])
    return ()


async def follow_search(unit: Unit, event: OwnNameSearched) -> Sequence[LedgerDraft]:
    """Tell Immigration that somebody has looked for their own name (R61). A projector; the ledger holds no searches."""
    await tell(unit, [own_name(event.by, unit.now)])
    return ()


async def follow_judgment(unit: Unit, event: JudgmentFiled) -> Sequence[LedgerDraft]:
    """Notify an owner of a judgment that another body has filed. A projector; it changes nothing yet."""
    await tell(unit, [judgment_filed(event.amendment)])
    return ()


async def follow_rejection(unit: Unit, event: RejectionConsidered) -> Sequence[LedgerDraft]:
    """Notify an owner of each step towards a rejection. A projector; checkpoints hear of a confirmed one only."""
    await tell(unit, [rejection_considered(event.entry, event.act)])
    return ()


async def follow_refusal(unit: Unit, event: AmendmentRefused) -> Sequence[LedgerDraft]:
    """Notify an owner that Immigration refused its amendment. A projector; nothing has changed."""
    await tell(unit, [amendment_refused(event.amendment)])
    return ()


async def follow_seal(unit: Unit, event: SealedByItself) -> Sequence[LedgerDraft]:
    """Notify the insiders of an entry that it was sealed. A projector; its records say nothing of seals."""
    await tell(unit, [entry_sealed(event.entry)])
    return ()


async def follow_meeting(unit: Unit, event: SealedEntryMet) -> Sequence[LedgerDraft]:
    """Notify a seal's persons that a request met its entry. A projector; the request changed nothing."""
    await tell(unit, [sealed_entry_met(event.entry, unit.actor, unit.now)])
    return ()


async def follow_admins(unit: Unit, event: SecondAdminAsked) -> Sequence[LedgerDraft]:
    """Notify admins, and the officers concerned, of a change that needs a second admin.

    A projector; the audit trail has the act.
    """
    await tell(unit, [second_admin(event, unit.now)])
    return ()


async def head(reader: Reader) -> Head:
    """The end of the notices."""
    size = await store.size(reader)
    return Head((await ledger.head(reader)).epoch + _FEED, size, size)


def position(here: Head, cursor: str | None) -> int:
    """The number that a reader's cursor stands at; 0 without a cursor.

    Raises:
        Invalid: the text is no cursor.
        CursorGone: it belongs to another register or another feed, or lies beyond the head.
    """
    try:
        return here.position(cursor)
    except CursorGone as gone:
        raise CursorGone(gone.detail, extra={"restart": "/v1/notices"}) from None


async def read_page(reader: Reader, cursor: str | None, limit: int) -> Page:
    """At most `limit` notices beyond a cursor that are meant for the actor.

    Raises:
        Invalid, CursorGone: as `position`.
    """
    here = await head(reader)
    after = position(here, cursor)
    beyond = await store.list_after(reader, after, limit + 1, reader.actor)
    notices = [notice for notice in beyond[:limit] if notice.number <= here.size]
    more = len(beyond) > len(notices)
    return Page(notices, here, notices[-1].number if more and notices else here.size, more=more)


async def missed_by(reader: Reader, actor: Actor, cursor: str | None) -> tuple[Head, list[Notice]]:
    """Everything meant for an actor behind a cursor, or without one, of the last day; for a stream that begins.

    Raises:
        Invalid, CursorGone: as `position`.
    """
    here = await head(reader)
    after = position(here, cursor) if cursor else await store.last_before(reader, reader.now - STANDING)
    found: list[Notice] = []
    while True:
        some = await store.list_after(reader, after, _SOME, actor)
        found += [notice for notice in some if notice.number <= here.size]
        if len(some) < _SOME:
            return here, found
        after = some[-1].number


_SOME = 500
