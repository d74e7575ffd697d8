"""The register's public calls (contract section 3)."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, reader_for, runtime_of, unit_for, within
from app.access.quotas import Quota
from app.db.unit import Reader, Unit
from app.entries import search, service
from app.entries.answers import EntryForHitOut, EntryOut, HistoryItemOut, HistoryOut
from app.entries.deadlines import Terms
from app.entries.domain import Entry, Measure, State
from app.entries.formalising import formalise
from app.entries.history import history
from app.entries.ports import Ports
from app.entries.preparing import AskedFor, FormallyAskedFor
from app.entries.recorded import with_met
from app.entries.schemas import DecisionIn, SealIn, SearchIn
from app.entries.seals import change_seal
from app.entries.store import Filter
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen
from app.web.wire import Code

router = APIRouter(prefix="/entries", tags=["entries"], route_class=GuardedRoute)

Submitter = Annotated[Unit, unit_for(Role.SUBMITTER)]
Decider = Annotated[Unit, unit_for(Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]
EntryReader = Annotated[
    Reader,
    reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR),
]
EntryViewer = Annotated[
    Reader,
    reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR, Role.TIMPORA),
]
"""Who reads entries, supervision teams among them, which do nothing else with them."""
Sealer = Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]
Searcher = Annotated[Unit, unit_for(*search.OFFICERS, Role.SUPERVISOR, repeats="refused")]
EntryId = Annotated[str, Path(max_length=40, description="The entry's id.")]

CONTENT = (
    "validation",
    "missing-subject-data",
    "wni-cannot-be-deterred",
    "period-required",
    "period-too-long",
    "lifetime-not-allowed",
    "witness-not-allowed",
    "stage-not-allowed",
    "instrument-mismatch",
    "photo-invalid",
    "duplicate-entry",
    "case-closed",
    "extension-exhausted",
    "wrong-agency",
)
"""Slugs of what may be wrong with an entry's content."""


def _answered(request: Request, response: Response, entry: Entry, unit: Reader) -> EntryOut:
    response.headers["ETag"] = tag_of(entry, unit)
    return EntryOut.of(entry, unit.now, runtime_of(request).settings)


def tag_of(entry: Entry, reader: Reader) -> str:
    """The entry's ETag: it changes with the version, the state at the moment, `in_force`, and duties done."""
    return etag_of(
        entry.version,
        entry.in_force(reader.now),
        entry.at(reader.now).state.value,
        entry.sequence,
        sorted(entry.met.items()),
    )


@router.post(
    "", status_code=201, summary="Submit an entry", responses=problems(*CONTENT, "wrong-state", *REPEATS)
)
async def submit_entry(wanted: AskedFor, unit: Submitter, request: Request, response: Response) -> EntryOut:
    """Ask for a measure against one person; a verifier of the agency and an approver of Immigration decide."""
    entry = await service.submit(unit, wanted, runtime_of(request).settings)
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    return _answered(request, response, entry, unit)


@router.get("", summary="List entries", responses=problems("validation"))
async def list_entries(  # noqa: PLR0913, PLR0917 - one parameter a filter of the contract
    reader: EntryViewer,
    request: Request,
    state: Annotated[State | None, Query(description="Only entries that stand in this state now.")] = None,
    measure: Annotated[Measure | None, Query(description="Only this measure.")] = None,
    agency: Annotated[Code | None, Query(description="Only this owner's.")] = None,
    in_force: Annotated[bool | None, Query(description="Only those in force now, or not.")] = None,
    ending_before: Annotated[
        date | None, Query(description="Only those whose last day lies before this one.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[EntryOut]:
    """Entries within the caller's view, newest first."""
    wanted = Filter(state, measure, agency, in_force, ending_before)
    before = last_seen(cursor)
    rows = await service.list_page(reader, wanted, before, limit + 1)
    page, after = cut(rows, limit, lambda entry: (entry.id,))
    settings = runtime_of(request).settings
    return Page(items=[EntryOut.of(entry, reader.now, settings) for entry in page], next_cursor=after)


@router.post(
    "/search",
    summary="Search for a person",
    responses=problems("validation", "idempotency-not-allowed", "not-found"),
)
@within(Quota.SEARCHES)
async def search_entries(
    unit: Searcher, body: SearchIn, request: Request
) -> Page[EntryOut] | Page[EntryForHitOut]:
    """Look for a person within the caller's view by document, NIK or name; logged like a check.

    A supervisor looks among the entries in force, and only for the traveller of an open hit of their checkpoint
    (`hit_id`); of what is found they are told who it is about and what it orders, nothing of the case.
    """
    ports: Ports = request.app.state.ports
    rows = await search.search(unit, body, runtime_of(request).pepper, ports.expect_open_hit)
    page, after = cut(rows, body.limit, lambda entry: (entry.id,))
    if body.hit_id is not None:
        return Page(items=[EntryForHitOut.of(entry, unit.now) for entry in page], next_cursor=after)
    settings = runtime_of(request).settings
    return Page(items=[EntryOut.of(entry, unit.now, settings) for entry in page], next_cursor=after)


@router.get(
    "/{entry_id}",
    summary="Read an entry",
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
    """One entry as it stands now."""
    entry = await service.get(reader, entry_id)
    same = not_modified(if_none_match, tag_of(entry, reader))
    return same or _answered(request, response, entry, reader)


@router.put(
    "/{entry_id}",
    summary="Resubmit a returned entry",
    responses=problems(
        *CONTENT, "formalisation-mismatch", "not-found", "wrong-state", "stale-version", "version-required"
    ),
)
async def resubmit_entry(
    wanted: AskedFor,
    unit: Submitter,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> EntryOut:
    """Replace the content of a returned entry; it is decided on anew."""
    settings = runtime_of(request).settings
    entry = await service.resubmit(unit, entry_id, expected, wanted, settings)
    (entry,) = await with_met(unit, [entry])
    return _answered(request, response, entry, unit)


@router.post(
    "/{entry_id}/decisions",
    status_code=201,
    summary="Decide on an entry",
    responses=problems(
        "validation",
        "not-found",
        "wrong-agency",
        "wrong-state",
        "four-eyes",
        "case-closed",
        "formalisation-mismatch",
        "extension-exhausted",
        "stale-version",
        "version-required",
        *REPEATS,
    ),
)
async def decide_on_entry(
    unit: Decider,
    entry_id: EntryId,
    expected: RequiredVersion,
    body: DecisionIn,
    request: Request,
    response: Response,
) -> EntryOut:
    """Another pair of eyes: verify or return, approve or reject, countersign an urgent entry."""
    terms = Terms.of(runtime_of(request).settings)
    entry = await service.decide(unit, entry_id, expected, body.verdict, body.reason, terms)
    (entry,) = await with_met(unit, [entry])
    return _answered(request, response, entry, unit)


@router.post(
    "/{entry_id}/formalisation",
    status_code=201,
    summary="Formalise an urgent entry",
    responses=problems(
        *CONTENT,
        "formalisation-mismatch",
        "not-found",
        "wrong-state",
        "stale-version",
        "version-required",
        *REPEATS,
    ),
)
async def formalise_entry(
    formal: FormallyAskedFor,
    unit: Submitter,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> EntryOut:
    """Ask for the formal entry that follows an urgent one; it is decided on as usual, by other persons."""
    entry = await formalise(unit, entry_id, expected, formal, runtime_of(request).settings)
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    return _answered(request, response, entry, unit)


@router.put(
    "/{entry_id}/seal",
    summary="Say who may see an entry",
    responses=problems("validation", "not-found", "stale-version", "version-required"),
)
async def seal_entry(
    unit: Sealer,
    entry_id: EntryId,
    expected: RequiredVersion,
    body: SealIn,
    request: Request,
    response: Response,
) -> EntryOut:
    """Seal an entry for some persons, or change the persons that its seal names.

    Only the entry's authors and the persons that its seal names may do this. The change is recorded.
    """
    entry = await change_seal(unit, entry_id, expected, body.named())
    return _answered(request, response, entry, unit)


@router.get("/{entry_id}/history", summary="Read an entry's history", responses=problems("not-found"))
async def read_history(reader: EntryViewer, entry_id: EntryId) -> HistoryOut:
    """Every step of an entry's life, in order."""
    steps = await history(reader, entry_id)
    return HistoryOut(items=[HistoryItemOut(**msgspec.to_builtins(step)) for step in steps])


@router.get(
    "/{entry_id}/photo",
    summary="See an entry's photo",
    responses={
        200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The photo."},
        **problems("not-found"),
    },
    response_class=Response,
)
async def read_photo(
    unit: Annotated[Unit, unit_for()],
    entry_id: EntryId,
    request: Request,
) -> Response:
    """The photo, for the owner, those who decide, auditors, and counters that have to do with the person."""
    granted = unit.actor.holds(Role.CHECKPOINT) and await request.app.state.ports.sees_photo(unit, entry_id)
    blob = await service.photo(unit, entry_id, granted=granted)
    await service.log_look(unit, "photo.seen", entry_id, {"sha256": blob.sha256})
    return Response(blob.data, media_type=blob.media_type, headers={"Cache-Control": "no-store"})
