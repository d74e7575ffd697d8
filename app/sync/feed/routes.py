"""Route of the feed of changes, for integrators and replicas (API section 6)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Security
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import admit_within, in_time, key_scheme, within
from app.access.admission.quotas import Quota
from app.db.unit import Reader
from app.errors import WrongRole
from app.ledger.polling import After, followed_of, read_waiting
from app.ledger.service import Changes, read_changes
from app.sync.feed import examples
from app.sync.feed.asking import DEFAULT_LIMIT, LINES, READERS, RESTART, Asking, EntryId, Limit, Types, Wait
from app.sync.feed.schemas import ChangeEvent, ChangeLine, ChangesOut
from app.sync.feed.stream import rendered, stream_changes
from app.web.accept import JSON, accepted_by, preferred
from app.web.coding import Coding
from app.web.openapi import problems
from app.web.raw import RawRoute, documented
from app.web.request_rules import EVENT_STREAM, expect_rules

router = APIRouter(tags=["changes"], route_class=RawRoute)

_FORMATS: Final = (JSON, LINES, EVENT_STREAM)
_ANSWERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            LINES: {"examples": examples.LINES},
            EVENT_STREAM: {"examples": examples.EVENTS},
        }
    }
}


async def serve_changes(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for the feed as a page of JSON, as lines of JSON, or as server-sent events.

    The `Accept` header decides. The answer is sent with `send`, without FastAPI.

    Raises:
        CekalError, RequestValidationError: the request is refused, before the answer begins.
    """
    media_type = preferred(accepted_by(scope["headers"]), _FORMATS)
    if media_type in {LINES, EVENT_STREAM}:
        await stream_changes(scope, receive, send, Asking.of(scope), as_lines=media_type == LINES)
        return
    request = Request(scope, receive)
    async with in_time(request):
        body = await _page(request)
    response = Response(body, headers={"Vary": "Accept"}, media_type=JSON)
    scope, send = Coding().applied(scope, send)
    await response(scope, receive, send)


async def _page(request: Request) -> bytes:
    """Return a page as `ChangesOut` describes it.

    Raises:
        Unauthenticated, RateLimited, WrongRole, RequestValidationError: the caller may not, or has asked wrongly.
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register, or beyond the head.
    """
    actor = await admit_within(request, Quota.POLLS)
    expect_rules(request.scope)
    if not actor.holds(*READERS):
        raise WrongRole(f"This call is for: {', '.join(sorted(READERS))}.")
    asking = Asking.of(request.scope)
    asking.expect_valid()
    after = asking.after

    async def read(reader: Reader) -> Changes:
        nonlocal after
        page = await read_changes(reader, after, asking.limit or DEFAULT_LIMIT, RESTART, asking.selection)
        if not page.more:  # what was looked at without a find needs no second look
            after = page.head.cursor(page.position)
        return page

    page = await read_waiting(request, actor, asking.wait, read, followed_of(request))
    more = "true" if page.more else "false"
    cursor = page.head.cursor(page.position)
    rest = f'],"cursor":"{cursor}","head":{page.head.size},"more":{more}}}'
    return b'{"items":[' + b",".join(rendered(page, actor)) + rest.encode()


@documented(serve_changes, {LINES: ChangeLine, EVENT_STREAM: ChangeEvent})
@within(Quota.POLLS)
async def read_changes_feed(  # type: ignore[empty-body]  # served by serve_changes
    _key: Annotated[str | None, Security(key_scheme)],
    after: After = None,
    wait: Wait = 0,
    limit: Limit = None,
    types: Types = None,
    entry_id: EntryId = None,
    last_event_id: Annotated[
        str | None,
        Header(description="Of events and lines: the last `id` that was seen, in place of `after`."),
    ] = None,
) -> ChangesOut:
    """List the records of all changes of the register after a cursor, in commit order.

    Every record is sent to every reader, so that the sequences have no gaps and a copy can be proved complete. Of a
    record outside the reader's scope, the personal part is withheld. With a filter the sequences have gaps, and the
    cursor moves past the omitted records.

    `Accept` selects one of three formats, which share the cursor. `application/json` is a page. `application/x-ndjson`
    is a line for each record up to the head, and a last line with the cursor that was reached. `text/event-stream` is
    an event `change` for each record, and a `heartbeat` every 15 s; it is cut after a quarter of an hour: reconnect
    with the last `id`.
    """


router.add_api_route(
    "/changes",
    read_changes_feed,
    methods=["GET"],
    summary="Read changes",
    operation_id="read_changes",
    response_description="The records beyond the cursor; none if nothing came within `wait`.",
    responses={
        **_ANSWERED,
        **problems("validation", "cursor-gone", "unavailable", "register-rolled-back"),
    },
)
