"""Routes of entries (API section 3): request, list, search, read, decide, formalise, seal."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from app.access.acts import AuditAct
from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for, within
from app.access.admission.quotas import Quota
from app.access.domain import Role
from app.db.unit import Reader, Unit
from app.register.entries import search, service
from app.register.entries.bodies import EntryBody, FormalisationBody
from app.register.entries.domain import Entry, Measure, State
from app.register.entries.duties.store import with_done_times
from app.register.entries.formalising import formalise
from app.register.entries.history import history
from app.register.entries.history_out import HistoryItemOut, HistoryOut
from app.register.entries.law.deadlines import Terms
from app.register.entries.parameters import CONTENT, EntryId, tag_of
from app.register.entries.ports import ports_of
from app.register.entries.schemas import DecisionIn, SealIn, SearchIn
from app.register.entries.schemas_out import EntryForHitOut, EntryOut
from app.register.entries.seals import change_seal
from app.register.entries.store import Filter
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of_bytes, not_modified
from app.web.methods import is_head
from app.web.openapi import BYTES, REPEATS, in_parts, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id
from app.web.parts import WantedPart
from app.web.wire import Code, Day

router = APIRouter(prefix="/entries", tags=["entries"], route_class=GuardedRoute)

Submitter = Annotated[Unit, unit_for(Role.SUBMITTER)]
Decider = Annotated[Unit, unit_for(Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]
EntryViewer = Annotated[
    Reader,
    reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR, Role.TIMPORA),
]
"""Transaction of a caller who may read entries, including supervision teams, which may do nothing else with them."""
Sealer = Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]
Searcher = Annotated[Unit, unit_for(*search.OFFICERS, Role.SUPERVISOR, repeats="refused")]
_PHOTO = in_parts("image/jpeg", "image/png")


def _answered(request: Request, response: Response, entry: Entry, unit: Reader) -> EntryOut:
    response.headers["ETag"] = tag_of(entry, unit)
    return EntryOut.of(entry, unit.now, runtime_of(request).settings)


@router.post(
    "",
    status_code=201,
    summary="Submit an entry",
    response_description="The entry was submitted and waits for its agency's verifier.",
    responses={**carrying(201, "ETag", "Location"), **problems(*CONTENT, "wrong-state", *REPEATS)},
)
async def submit_entry(
    requested: EntryBody, unit: Submitter, request: Request, response: Response
) -> EntryOut:
    """Request a measure against one person; a verifier of the agency and an approver of Immigration decide."""
    entry = await service.submit(unit, requested, runtime_of(request).settings)
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    return _answered(request, response, entry, unit)


@router.get(
    "",
    summary="List entries",
    response_description="A page of entries, newest first.",
    responses=problems("validation"),
)
async def list_entries(  # noqa: PLR0913, PLR0917 - one parameter a filter of the API
    reader: EntryViewer,
    request: Request,
    state: Annotated[State | None, Query(description="Only entries in this state now.")] = None,
    measure: Annotated[Measure | None, Query(description="Only this measure.")] = None,
    agency: Annotated[Code | None, Query(description="Only this owner's.")] = None,
    in_force: Annotated[bool | None, Query(description="Only those in force now, or not.")] = None,
    ending_before: Annotated[
        Day | None, Query(description="Only those with a last day before this one.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[EntryOut]:
    """List the entries that the caller may see, the last filed first."""
    requested = Filter(state, measure, agency, in_force, ending_before)
    before = decode_last_id(cursor)
    rows = await service.list_page(reader, requested, before, limit + 1)
    page, after = cut(rows, limit, lambda entry: (entry.id,))
    settings = runtime_of(request).settings
    return Page(items=[EntryOut.of(entry, reader.now, settings) for entry in page], next_cursor=after)


@router.post(
    "/search",
    summary="Search for a person",
    response_description="A page of the entries that fit; a supervisor is shown the person and the measure of each.",
    responses=problems("validation", "idempotency-not-allowed", "not-found"),
)
@within(Quota.SEARCHES)
async def search_entries(
    unit: Searcher, body: SearchIn, request: Request
) -> Page[EntryOut] | Page[EntryForHitOut]:
    """Search the entries that the caller may see for a person, by document, NIK or name; every search is recorded.

    The newest entry comes first. A supervisor may search only for the traveller of an open hit at their checkpoint
    (`hit_id`): the answer contains the entries of any agency that stop people now and are not sealed, with the person
    and the measure, but nothing of the case.
    """
    ports = ports_of(request)
    rows = await search.search(unit, body, runtime_of(request).pepper, ports.expect_open_hit)
    page, after = cut(rows, body.limit, lambda entry: (entry.id,))
    if body.hit_id is not None:
        items = [EntryForHitOut.of(entry, unit.now) for entry in page]
        # A Page without a type argument would match both types.
        return Page[EntryForHitOut](items=items, next_cursor=after)
    settings = runtime_of(request).settings
    return Page[EntryOut](items=[EntryOut.of(entry, unit.now, settings) for entry in page], next_cursor=after)


@router.get(
    "/{entry_id}",
    summary="Read an entry",
    response_description="The entry in its present state.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=EntryOut,
)
async def read_entry(
    reader: EntryViewer,
    entry_id: EntryId,
    request: Request,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> EntryOut | Response:
    """Read one entry in its present state."""
    entry = await service.get(reader, entry_id)
    same = not_modified(if_none_match, tag_of(entry, reader))
    return same or _answered(request, response, entry, reader)


@router.put(
    "/{entry_id}",
    summary="Resubmit a returned entry",
    response_description="The entry was resubmitted and waits for its agency's verifier again.",
    responses={
        **carrying(200, "ETag"),
        **problems(
            *CONTENT,
            "formalisation-mismatch",
            "not-found",
            "wrong-state",
            "stale-version",
            "version-required",
        ),
    },
)
async def resubmit_entry(
    requested: EntryBody,
    unit: Submitter,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> EntryOut:
    """Replace the content of a returned entry; any submitter of its agency may do so. It is decided on again."""
    settings = runtime_of(request).settings
    entry = await service.resubmit(unit, entry_id, expected, requested, settings)
    (entry,) = await with_done_times(unit, [entry])
    return _answered(request, response, entry, unit)


@router.post(
    "/{entry_id}/decisions",
    status_code=201,
    summary="Decide on an entry",
    response_description="The decision was recorded; this is the entry after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "not-found",
            "wrong-agency",
            "wrong-state",
            "four-eyes",
            "case-closed",
            "formalisation-mismatch",
            "extension-exhausted",
            "clock-in-doubt",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def decide_on_entry(
    unit: Decider,
    entry_id: EntryId,
    expected: RequiredVersion,
    body: DecisionIn,
    request: Request,
    response: Response,
) -> EntryOut:
    """Decide on an entry as another person: verify, return, approve or reject it; countersign an urgent one.

    Rejecting a countersigned entry only proposes it; an approver then rejects it, or keeps it.
    """
    terms = Terms.of(runtime_of(request).settings)
    entry = await service.decide(unit, entry_id, expected, body.verdict, body.reason, terms)
    (entry,) = await with_done_times(unit, [entry])
    return _answered(request, response, entry, unit)


@router.post(
    "/{entry_id}/formalisation",
    status_code=201,
    summary="Formalise an urgent entry",
    response_description="The formal entry was submitted; the urgent one holds on until the formal one is in force.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems(
            *CONTENT,
            "formalisation-mismatch",
            "clock-in-doubt",
            "not-found",
            "wrong-state",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def formalise_entry(
    formal: FormalisationBody,
    unit: Submitter,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> EntryOut:
    """File the formal entry that follows an urgent one; other persons decide on it as usual."""
    ports = ports_of(request)
    settings = runtime_of(request).settings
    entry = await formalise(unit, entry_id, expected, formal, settings, ports.count_travellers)
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    return _answered(request, response, entry, unit)


@router.put(
    "/{entry_id}/seal",
    summary="Say who may see an entry",
    response_description="The seal was changed; this is the entry after it.",
    responses={
        **carrying(200, "ETag"),
        **problems("validation", "not-found", "stale-version", "version-required"),
    },
)
async def seal_entry(
    unit: Sealer,
    entry_id: EntryId,
    expected: RequiredVersion,
    body: SealIn,
    request: Request,
    response: Response,
) -> EntryOut:
    """Seal an entry, so that only its authors, the named persons and auditors see it, or replace the named persons.

    Only the entry's authors and the persons that its seal names may do this. The change is recorded.
    """
    entry = await change_seal(unit, entry_id, expected, body.named())
    return _answered(request, response, entry, unit)


@router.get(
    "/{entry_id}/history",
    summary="Read an entry's history",
    response_description="Every step of the entry's life.",
    responses=problems("not-found"),
)
async def read_history(reader: EntryViewer, entry_id: EntryId) -> HistoryOut:
    """Read every step of an entry's history, oldest first."""
    steps = await history(reader, entry_id)
    return HistoryOut(items=[HistoryItemOut(**msgspec.to_builtins(step)) for step in steps])


@router.get(
    "/{entry_id}/photo",
    summary="See an entry's photo",
    response_description="The photo.",
    responses={
        **_PHOTO,
        200: {"content": {"image/jpeg": BYTES, "image/png": BYTES}, **_PHOTO[200]},
        **problems("not-found"),
    },
    response_class=Response,
)
async def read_photo(
    unit: Annotated[Unit, unit_for(despite_rollback=True)],
    entry_id: EntryId,
    request: Request,
    conditions: WantedPart,
) -> Response:
    """Read an entry's photo; each access is recorded, even if it is answered with 304.

    The owner, deciding officers of Immigration and auditors may read it. A checkpoint may while it has an open alert
    about the entry, or if a check there matched the entry in the last 24 hours.
    """
    granted = unit.actor.holds(Role.CHECKPOINT) and await ports_of(request).sees_photo(unit, entry_id)
    blob = await service.photo(unit, entry_id, granted=granted)
    if not is_head(request.scope):
        await service.log_look(unit, AuditAct.PHOTO_SEEN, entry_id, {"sha256": blob.sha256})
    return conditions.answer(
        blob.data, blob.media_type, etag_of_bytes(1, blob.data), {"Cache-Control": "no-store"}
    )
