"""The public calls of objections (contract section 3)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, runtime_of, unit_for
from app.db.unit import Unit
from app.entries.routes import EntryId, EntryReader
from app.objections import service
from app.objections.domain import Objection
from app.objections.schemas import AnswerIn, ObjectionIn, ObjectionOut
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen

router = APIRouter(tags=["objections"], route_class=GuardedRoute)

Owner = Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER)]
ObjectionId = Annotated[str, Path(max_length=40, description="The objection's id.")]


def _answered(response: Response, objection: Objection) -> ObjectionOut:
    response.headers["ETag"] = _tag(objection)
    return ObjectionOut.of(objection)


def _tag(objection: Objection) -> str:
    return etag_of(objection.version, objection.filing.name, objection.file_until)


@router.post(
    "/entries/{entry_id}/objections",
    status_code=201,
    summary="Record an objection",
    responses=problems("validation", "not-found", "wrong-agency", "wrong-state", *REPEATS),
)
async def file_objection(
    unit: Owner, entry_id: EntryId, body: ObjectionIn, request: Request, response: Response
) -> ObjectionOut:
    """Put on record what was filed with the owner against its entry, while the entry was in force (art. 96).

    The measure holds on; only an amendment that is decided on as usual ends it.
    """
    settings = runtime_of(request).settings
    objection = await service.file(unit, entry_id, body.filing(), settings)
    response.headers["Location"] = f"/v1/objections/{objection.id}"
    return _answered(response, objection)


@router.get(
    "/entries/{entry_id}/objections",
    summary="List an entry's objections",
    responses=problems("validation", "not-found"),
)
async def list_objections(
    reader: EntryReader, entry_id: EntryId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ObjectionOut]:
    """The objections against an entry, newest first; also those against its urgent entry, or its formal one."""
    before = last_seen(cursor)
    rows = await service.list_page(reader, entry_id, before, limit + 1)
    page, after = cut(rows, limit, lambda objection: (objection.id,))
    return Page(items=[ObjectionOut.of(objection) for objection in page], next_cursor=after)


@router.get(
    "/objections/{objection_id}",
    summary="Read an objection",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=ObjectionOut,
)
async def read_objection(
    reader: EntryReader,
    objection_id: ObjectionId,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> ObjectionOut | Response:
    """One objection, with its answer once there is one."""
    objection = await service.get(reader, objection_id)
    return not_modified(if_none_match, _tag(objection)) or _answered(response, objection)


@router.post(
    "/objections/{objection_id}/answer",
    status_code=201,
    summary="Answer an objection",
    responses=problems(
        "validation",
        "not-found",
        "wrong-agency",
        "wrong-state",
        "four-eyes",
        "stale-version",
        "version-required",
        *REPEATS,
    ),
)
async def answer_objection(
    unit: Owner,
    objection_id: ObjectionId,
    expected: RequiredVersion,
    body: AnswerIn,
    request: Request,
    response: Response,
) -> ObjectionOut:
    """The owner's word, once, by another person than who recorded the objection.

    `granted` changes nothing by itself: `must_follow` names amendments, and the owner has to ask for one
    of them until `carry_out_by`; until then it is a task of the owner.
    """
    letter, settings = body.letter.letter(), runtime_of(request).settings
    objection = await service.answer(
        unit, objection_id, expected, body.outcome, body.reason, letter, settings
    )
    return _answered(response, objection)
