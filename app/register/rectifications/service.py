"""Use cases of correction requests: file, read, decide, and list open requests for worklists (R63)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import NotFound, WrongState
from app.kit.ids import new_id
from app.register.entries.erasure import ERASED
from app.register.entries.ports import ExpectAmendment
from app.register.entries.store import find, lock
from app.register.entries.visibility import ALL_ENTRIES, open_to, visible
from app.register.rectifications import store
from app.register.rectifications.domain import (
    ANSWER_WITHIN,
    CorrectionOutcome,
    CorrectionRequest,
    Priority,
    RequestedCorrection,
    RequestState,
)
from app.register.rectifications.store import Filter

__all__ = [
    "Filed",
    "OpenRequest",
    "decide",
    "file",
    "list_page",
    "open_requests",
    "read_and_log",
]

_MAX_LISTED = 500


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Return whether a request about this entry waits for its decision; False for an unknown entry."""
    return await store.has_open(reader, entry_id)


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the personal data from an entry's requests (R64).

    Statements and the requesters' names and contacts are replaced by `ERASED`; evidence and reasons become None.
    Outcomes, times and the officers that acted stay.
    """
    await store.erase_of_entry(unit, entry_id, ERASED)


@dataclass(frozen=True, slots=True)
class Filed:
    """The content of a new correction request.

    Attributes:
        statement: the error, in the requester's words.
        evidence: the proof, in words; None without one.
        requester_name, requester_contact: the requester, and the address for the answer.
    """

    entry_id: str
    kind: RequestedCorrection
    statement: str
    evidence: str | None
    requester_name: str
    requester_contact: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """The data of a correction request that waits for its decision, for worklists."""

    request_id: str
    entry_id: str
    kind: RequestedCorrection
    priority: Priority
    received_at: datetime
    due_at: datetime


async def file(unit: Unit, filed: Filed) -> CorrectionRequest:
    """Store a new correction request, due in 72 hours. Returns the request.

    Immigration's officers and supervisors may file about any entry; other officers only about entries that they may
    see. The result contains no data of the entry except its id and its owner.

    Raises:
        NotFound: there is no entry with this id about which the actor may file.
        WrongState: the person was erased from the entry.
    """
    actor = unit.actor
    entry = await lock(unit, filed.entry_id)  # so that it can't be sealed or erased at this moment
    anywhere = actor.agency == IMMIGRATION or actor.holds(Role.SUPERVISOR)
    if not (anywhere or visible(entry, actor)):
        raise NotFound("There is no such entry.")
    if entry.erased_at is not None:
        raise WrongState(
            "The person was erased from this entry (UU 27/2022 art. 43): no data are left to correct."
        )
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
    await record(unit, AuditAct.CORRECTION_REQUESTED, request.id, {"entry": entry.id, "kind": request.kind})
    return request


async def read_and_log(unit: Unit, request_id: str) -> CorrectionRequest:
    """Return a request with statement and requester, and log the access (UU 27/2022 art. 31; R62).

    Raises:
        NotFound: the actor sees no request with this id.
    """
    request = await store.get(unit, request_id)
    await _expect_in_view(unit, request)
    await record(unit, AuditAct.CORRECTION_SEEN, request_id, {"entry": request.entry_id})
    return request


async def list_page(
    reader: Reader,
    state: RequestState | None,
    entry_id: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[CorrectionRequest]:
    """Return requests that the actor may see: open ones about a wrong person, other open ones, then decided ones.

    Requests of equal rank are in the order of their filing.

    Args:
        reader: the transaction.
        state: only open, or only decided ones; None for both.
        entry_id: only requests about this entry; None for all.
        after: sort key (`store.place_of`) and id of a request; only later ones in this order. None for the beginning.
        limit: maximum number of requests.
    """
    requested = replace(
        _view(reader.actor), open=None if state is None else state == "open", entry_id=entry_id
    )
    return await store.list_page(reader, requested, after, limit)


async def decide(
    unit: Unit,
    request_id: str,
    expected: int,
    outcome: CorrectionOutcome,
    reason: str | None,
    amendment_id: str | None,
    expect_amendment: ExpectAmendment,
) -> CorrectionRequest:
    """Store an approver's decision on a request. Returns the request.

    The decision changes no entry; only an amendment of the entry does. The caller of this function must check that the
    actor is an approver.

    Args:
        unit: the transaction.
        request_id: id of the request.
        expected: the version that the actor has read.
        outcome: the decision.
        reason: the reason; required unless the request is granted in full.
        amendment_id: the entry's amendment by which the owner does what is granted; None if there is none yet.
        expect_amendment: function that raises Invalid unless the amendment belongs to the entry and was not rejected.

    Raises:
        NotFound: the actor sees no request with this id.
        Invalid: the amendment is not one of the entry, or was rejected; or the reason or the amendment does not fit
            the outcome (see `CorrectionRequest.decide`).
        StaleVersion: the request has changed since it was read.
        WrongState: the request is decided already.
        SecondPairOfEyesNeeded: the actor recorded the request.
    """
    before = await store.lock(unit, request_id)
    await _expect_in_view(unit, before)
    decided = before.decide(unit.actor, expected, outcome, reason, amendment_id, unit.now)
    if amendment_id is not None:
        await expect_amendment(unit, amendment_id, decided.entry_id)
    await store.save(unit, decided)
    detail = {"entry": decided.entry_id, "outcome": outcome, "late": decided.overdue(unit.now)}
    await record(unit, AuditAct.CORRECTION_DECIDED, request_id, detail)
    return decided


async def was_granted(reader: Reader, request_id: str, entry_ids: Collection[str]) -> bool:
    """Return whether this is a `wrong_person` request about one of the entries and was granted in full."""
    found = await store.find(reader, request_id)
    if found is None or found.entry_id not in entry_ids or found.kind is not RequestedCorrection.WRONG_PERSON:
        return False
    return found.outcome is CorrectionOutcome.GRANTED


async def open_requests(reader: Reader, limit: int = _MAX_LISTED) -> list[OpenRequest]:
    """Return open requests that concern the actor, wrong-person ones first, then earliest due, at most `limit`.

    An approver gets all requests except those that the approver recorded. A submitter or verifier gets the requests
    about entries of their agency. Other roles get none.
    """
    actor = reader.actor
    if actor.holds(Role.APPROVER):
        requested = Filter(open=True, exclude_filed_person=actor.person)
    elif actor.holds(Role.SUBMITTER, Role.VERIFIER):
        requested = Filter(open=True, agency=actor.agency)
    else:
        return []
    return [
        OpenRequest(r.id, r.entry_id, r.kind, r.priority, r.received_at, r.due_at)
        for r in await store.list_page(reader, requested, None, limit)
    ]


def _view(actor: Actor) -> Filter:
    """Return the filter of the requests that an actor may see.

    Roles that see all entries see all requests; others see those about their agency's entries and those that they
    filed.
    """
    if actor.holds(*ALL_ENTRIES):
        return Filter()
    agency = actor.agency if actor.holds(Role.SUBMITTER, Role.VERIFIER) else None
    return Filter(agency=agency, filed_by=actor.client_id)


async def _expect_in_view(reader: Reader, request: CorrectionRequest) -> None:
    view = _view(reader.actor)
    if request.filed_by == reader.actor.client_id:
        return
    entry = await find(reader, request.entry_id)
    sealed = entry is not None and not open_to(entry, reader.actor)
    if sealed or (view != Filter() and request.agency != view.agency):
        raise NotFound("There is no such request.")
