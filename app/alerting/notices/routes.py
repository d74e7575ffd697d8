"""Routes of notices: read them in pages, or as a stream."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Security

from app.access.admission.guard import GuardedRoute, actor_for, key_scheme, within
from app.access.admission.quotas import Quota
from app.access.domain import PERSON_ROLES
from app.actor import Actor
from app.alerting.notices import service
from app.alerting.notices.domain import render_notice
from app.alerting.notices.schemas import NoticeEvent, NoticeOut, NoticesOut
from app.alerting.notices.stream import stream_notices
from app.alerting.notices.tail import notice_tail_of
from app.ledger.polling import After, PageLimit, Wait, read_waiting
from app.web.openapi import EVENTS, problems
from app.web.raw import RawRoute, documented

router = APIRouter(prefix="/notices", tags=["notices"], route_class=GuardedRoute)


@router.get(
    "",
    summary="Read notices",
    response_description="The notices beyond the cursor; none if nothing came within `wait`.",
    responses=problems("validation", "cursor-gone"),
)
@within(Quota.POLLS)
async def read_notices(
    actor: Annotated[Actor, actor_for(*sorted(PERSON_ROLES))],
    request: Request,
    after: After = None,
    wait: Wait = 0,
    limit: PageLimit = 100,
) -> NoticesOut:
    """Read the notices for the caller after a cursor, waiting up to 30 seconds for the first.

    Submitters and verifiers get notices about their agency's entries. Immigration's approvers and duty officers get
    notices for their role, such as about acts that wait for them or are overdue. Supervisors get notices about their
    checkpoint: unresolved hits, alerts that nobody acknowledged, changed or failing contacts. Admins get notices about
    changes that a second admin must confirm, and about the register's operation. The persons that a seal names get
    notices about the sealed entry. Auditors get every notice. Nobody gets a notice about an entry whose seal bars them.
    """
    page = await read_waiting(
        request,
        actor,
        wait,
        lambda reader: service.read_page(reader, after, limit, request.url.path),
        notice_tail_of(request),
    )
    return NoticesOut(
        items=[NoticeOut.model_validate(render_notice(notice)) for notice in page.records],
        cursor=page.head.cursor(page.position),
        head=page.head.size,
        more=page.more,
    )


@documented(stream_notices)
@within(Quota.STREAMS)
async def open_notice_stream(  # type: ignore[empty-body]  # served by stream_notices
    _key: Annotated[str | None, Security(key_scheme)],
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; the stream goes on behind it.")
    ] = None,
    after: Annotated[
        str | None, Query(description="The same, for a client that can't send the header.")
    ] = None,
) -> NoticeEvent:
    """Server-sent events: `notice`, and every 15 s `heartbeat` with the last number; the `id` of each is a cursor.

    Without a cursor, the notices of the last 24 hours come first; with it, all notices after the cursor. The stream is
    cut after a quarter of an hour; reconnect with the last id.
    """


router.add_api_route(
    "/stream",
    open_notice_stream,
    methods=["GET"],
    summary="Stream notices",
    operation_id="open_notice_stream",
    response_description="The stream, which stays open; each frame is one of these events.",
    responses={
        **EVENTS,
        **problems("cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)
