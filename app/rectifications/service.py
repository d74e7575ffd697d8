"""Use cases of correction requests: file, read, decide; and the requests that wait for an actor (R63)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from app.access.domain import IMMIGRATION
from app.access.service import record
from app.db.unit import Actor, Reader, Unit
from app.entries.erasure import ERASED
from app.entries.ports import ExpectAmendment
from app.entries.store import find
from app.entries.views import ALL_ENTRIES, open_to, visible
from app.errors import NotFound
from app.kit.ids import new_id
from app.rectifications import store
from app.rectifications.domain import (
    ANSWER_WITHIN,
    CorrectionOutcome,
    CorrectionRequest,
    Priority,
    RequestedCorrection,
    Standing,
)
from app.rectifications.store import Filter

__all__ = [
    "Filed",
    "OpenRequest",
    "decide",
    "file",
    "list_page",
    "look_at",
    "open_requests",
]

_MOST = 500


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Whether a request about an entry waits for its decision."""
    return await store.has_open(reader, entry_id)


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase who asked about an entry and what was said; that it was decided, when and how stays (R64)."""
    await store.erase_of_entry(unit, entry_id, ERASED)


@dataclass(frozen=True, slots=True)
class Filed:
    """A request as it is taken down."""

    entry_id: str
    kind: RequestedCorrection
    statement: str
    evidence: str | None
    requester_name: str
    requester_contact: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that waits; for worklists."""

    request_id: str
    entry_id: str
    kind: RequestedCorrection
    priority: Priority
    received_at: datetime
    due_at: datetime


async def file(unit: Unit, filed: Filed) -> CorrectionRequest:
    """Take a request down for the person concerned; it is acknowledged, and its 72 hours run, from now on.

    Immigration's officers and supervisors, who meet the person, file about any entry; they learn nothing of
    it by that.

    Raises:
        NotFound: there is no such entry, or it is another agency's.
    """
    actor = unit.actor
    entry = await find(unit, filed.entry_id)
    anywhere = actor.agency == IMMIGRATION or actor.holds("supervisor")
    if entry is None or not (anywhere or visible(entry, actor)):
        raise NotFound("There is no such entry.")
    request = CorrectionRequest(
        id=new_id("cor", unit.now),
        version=1,
        entry_id=entry.id,
        agency=entry.agency,
        kind=filed.kind,
        statement=filed.statement,
        evidence=filed.evidence,
        requester_name=filed.requester_name,
        requester_contact=filed.requester_contact,
        filed_by=actor.client_id,
        filed_person=str(actor.person),
        received_at=unit.now,
        due_at=unit.now + ANSWER_WITHIN,
    )
    await store.add(unit, request)
    await record(unit, "correction.requested", request.id, {"entry": entry.id, "kind": request.kind})
    return request


async def look_at(unit: Unit, request_id: str) -> CorrectionRequest:
    """A request with its statement and its requester; the look is recorded (UU 27/2022 art. 31; R62).

    Raises:
        NotFound: there is none within the actor's view.
    """
    request = await store.get(unit, request_id)
    await _expect_in_view(unit, request)
    await record(unit, "correction.seen", request_id, {"entry": request.entry_id})
    return request


async def list_page(
    reader: Reader, state: Standing | None, entry_id: str | None, after: tuple[str, str] | None, limit: int
) -> list[CorrectionRequest]:
    """Requests within the actor's view: open ones and the wrong person first, then as they came."""
    wanted = replace(_view(reader.actor), open=None if state is None else state == "open", entry_id=entry_id)
    return await store.list_page(reader, wanted, after, limit)


async def decide(
    unit: Unit,
    request_id: str,
    expected: int,
    outcome: CorrectionOutcome,
    reason: str | None,
    amendment_id: str | None,
    expect_amendment: ExpectAmendment,
) -> CorrectionRequest:
    """Decide a request; no entry changes by it (the owner's correction or annulment does that).

    Only approvers come here, and they are all the Directorate General's.

    Raises:
        NotFound: there is no such request.
        Invalid: the amendment is none of the entry's.
        CekalError: as `CorrectionRequest.decide`.
    """
    before = await store.lock(unit, request_id)
    await _expect_in_view(unit, before)
    decided = before.decide(unit.actor, expected, outcome, reason, amendment_id, unit.now)
    if amendment_id is not None:
        await expect_amendment(unit, amendment_id, decided.entry_id)
    await store.save(unit, decided)
    detail = {"entry": decided.entry_id, "outcome": outcome, "late": decided.overdue(unit.now)}
    await record(unit, "correction.decided", request_id, detail)
    return decided


async def was_granted(reader: Reader, request_id: str, entry_ids: Collection[str]) -> bool:
    """Whether a request about one of some entries said that it is the wrong person, and was granted in full."""
    found = await store.find(reader, request_id)
    if found is None or found.entry_id not in entry_ids or found.kind is not RequestedCorrection.WRONG_PERSON:
        return False
    return found.outcome is CorrectionOutcome.GRANTED


async def open_requests(reader: Reader, limit: int = _MOST) -> list[OpenRequest]:
    """What waits for the actor: approvers decide, the owning agency's officers prepare the correction.

    The wrong person comes first, then whatever is due soonest. Approvers don't see what they took down
    themselves, which another has to decide.
    """
    actor = reader.actor
    if actor.holds("approver"):
        wanted = Filter(open=True, but_filed_person=actor.person)
    elif actor.holds("submitter", "verifier"):
        wanted = Filter(open=True, agency=actor.agency)
    else:
        return []
    return [
        OpenRequest(r.id, r.entry_id, r.kind, r.priority, r.received_at, r.due_at)
        for r in await store.list_page(reader, wanted, None, limit)
    ]


def _view(actor: Actor) -> Filter:
    """All for those who see all entries, otherwise the agency's, and what the client itself has filed."""
    if actor.holds(*ALL_ENTRIES):
        return Filter()
    agency = actor.agency if actor.holds("submitter", "verifier") else None
    return Filter(agency=agency, filed_by=actor.client_id)


async def _expect_in_view(reader: Reader, request: CorrectionRequest) -> None:
    view = _view(reader.actor)
    if request.filed_by == reader.actor.client_id:
        return
    entry = await find(reader, request.entry_id)
    sealed = entry is not None and not open_to(entry, reader.actor)
    if sealed or (view != Filter() and request.agency != view.agency):
        raise NotFound("There is no such request.")
