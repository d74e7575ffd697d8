"""Routes to record, list, read and answer objections."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.access.admission.guard import GuardedRoute, runtime_of, unit_for
from app.access.domain import Role
from app.db.unit import Unit
from app.register.entries.parameters import EntryId, EntryReader
from app.register.objections import service
from app.register.objections.domain import Objection
from app.register.objections.schemas import AnswerIn, ObjectionIn, ObjectionOut
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

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
    response_description="The objection was recorded; the measure holds on.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems("validation", "not-found", "wrong-agency", "wrong-state", *REPEATS),
    },
)
async def file_objection(
    unit: Owner, entry_id: EntryId, body: ObjectionIn, request: Request, response: Response
) -> ObjectionOut:
    """Record an objection that was filed with the entry's owner while the entry was in force (art. 96).

    An objection against an administrative action (TAK) is also in time for 21 working days after the delivery.

    The measure stays in force. Only an amendment ends it, which other persons must decide on.
    """
    settings = runtime_of(request).settings
    objection = await service.file(unit, entry_id, body.filing(), settings)
    response.headers["Location"] = f"/v1/objections/{objection.id}"
    return _answered(response, objection)


@router.get(
    "/entries/{entry_id}/objections",
    summary="List an entry's objections",
    response_description="A page of objections, newest first.",
    responses=problems("validation", "not-found"),
)
async def list_objections(
    reader: EntryReader, entry_id: EntryId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ObjectionOut]:
    """List the objections against an entry, newest first.

    Objections against the urgent entry that this entry formalises, or against entries that formalise this one, are
    included.
    """
    before = decode_last_id(cursor)
    rows = await service.list_page(reader, entry_id, before, limit + 1)
    page, after = cut(rows, limit, lambda objection: (objection.id,))
    return Page(items=[ObjectionOut.of(objection) for objection in page], next_cursor=after)


@router.get(
    "/objections/{objection_id}",
    summary="Read an objection",
    response_description="The objection, with its answer once there is one.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=ObjectionOut,
)
async def read_objection(
    reader: EntryReader,
    objection_id: ObjectionId,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> ObjectionOut | Response:
    """Read one objection, with its answer if there is one."""
    objection = await service.get(reader, objection_id)
    return not_modified(if_none_match, _tag(objection)) or _answered(response, objection)


@router.post(
    "/objections/{objection_id}/answer",
    status_code=201,
    summary="Answer an objection",
    response_description="The answer was recorded; this is the objection after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "not-found",
            "wrong-agency",
            "wrong-state",
            "four-eyes",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def answer_objection(
    unit: Owner,
    objection_id: ObjectionId,
    expected: RequiredVersion,
    body: AnswerIn,
    request: Request,
    response: Response,
) -> ObjectionOut:
    """Answer an objection for the entry's owner, once. The person that recorded it can't answer it.

    `granted` changes nothing by itself: `must_follow` names amendments, and the owner must file one of them by
    `carry_out_by`; until then it is a task of the owner.
    """
    letter, settings = body.letter.letter(), runtime_of(request).settings
    objection = await service.answer(
        unit, objection_id, expected, body.outcome, body.reason, letter, settings
    )
    return _answered(response, objection)
