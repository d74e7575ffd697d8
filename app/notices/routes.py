"""What officers are told: read page by page, or streamed."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Security

from app.access.domain import PERSON_ROLES
from app.access.guard import GuardedRoute, actor_for, key_scheme, within
from app.access.quotas import Quota
from app.db.unit import Actor
from app.ledger.polling import After, PageLimit, Wait, read_waiting
from app.notices import service
from app.notices.domain import on_the_wire
from app.notices.schemas import NoticeOut, NoticesOut
from app.notices.stream import stream_notices
from app.web.openapi import problems
from app.web.raw import RawRoute, documented

router = APIRouter(prefix="/notices", tags=["notices"], route_class=GuardedRoute)


@router.get("", summary="Read notices", responses=problems("validation", "cursor-gone"))
@within(Quota.POLLS)
async def read_notices(
    actor: Annotated[Actor, actor_for(*sorted(PERSON_ROLES))],
    request: Request,
    after: After = None,
    wait: Wait = 0,
    limit: PageLimit = 100,
) -> NoticesOut:
    """Notices meant for the caller beyond a cursor, waiting up to 30 seconds for the first.

    A submitter or verifier is told of their agency's entries; Immigration's approvers and duty officers of what
    escalates; a supervisor of their checkpoint's hits that nobody resolves; an auditor reads everything;
    an admin of what a second admin is to confirm.
    """
    page = await read_waiting(
        request,
        actor,
        wait,
        lambda reader: service.read_page(reader, after, limit),
        request.app.state.notice_tail,
    )
    return NoticesOut(
        items=[NoticeOut.model_validate(on_the_wire(notice)) for notice in page.records],
        cursor=page.head.cursor(page.position),
        head=page.head.size,
        more=page.more,
    )


@documented(stream_notices)
async def open_notice_stream(
    _key: Annotated[str | None, Security(key_scheme)],
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; the stream goes on behind it.")
    ] = None,
    after: Annotated[str | None, Query(description="The same, for who can't send the header.")] = None,
) -> None:
    """Server-sent events: `notice` with a cursor as `id`, and `heartbeat` with the last number every 15 s.

    Without a cursor first come the notices of the last 24 hours. The stream is cut after a quarter of an hour;
    reconnect with the last id.
    """


router.add_api_route(
    "/stream",
    open_notice_stream,
    methods=["GET"],
    summary="Stream notices",
    operation_id="open_notice_stream",
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The stream."},
        **problems("cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)
