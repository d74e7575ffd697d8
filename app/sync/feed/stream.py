"""The feed as a stream: server-sent events, or lines that end at the ledger's head (API section 6)."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import runtime_of
from app.access.admission.state import quotas_in
from app.actor import Actor
from app.alerting.streams.framing import Ended, EventFraming, Header
from app.alerting.streams.serving import Begun, Feed, asked_after, serve
from app.ledger.service import Changes, head, read_changes
from app.sync.feed.asking import LINES, READERS, RESTART, Asking
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import render
from app.sync.feed.schemas import ChangesEndOut
from app.sync.feed.tail import Asked, FeedTail, event, feed_tail_of, line

_PAGE = 200
"""Records of a page that is read and sent at once: encoding them takes some milliseconds, in which alerts wait."""

_VARIES: Header = (b"vary", b"accept")


class _Events(EventFraming):
    headers: Sequence[Header] = (*EventFraming.headers, _VARIES)


_EVENTS = _Events()


class _Lines(EventFraming):
    """Lines of JSON: the records, and a last one that says how far they reach."""

    headers: Sequence[Header] = (
        (b"content-type", LINES.encode()),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        _VARIES,
    )

    beats = False

    def __init__(self, tail: FeedTail) -> None:
        self._tail = tail

    def opening(self) -> bytes:
        """Return nothing: a line is a record."""
        return b""

    def ending(self, ended: Ended) -> bytes:
        """Return the last line, whatever ends the answer."""
        head = max(ended.position, ended.head.size, self._tail.reach)
        last = ChangesEndOut(cursor=ended.head.cursor(ended.position), head=head, more=ended.position < head)
        return line(last.model_dump_json().encode())


async def stream_changes(
    scope: Scope, receive: Receive, send: Send, asking: Asking, *, as_lines: bool
) -> None:
    """Serve one stream of the feed until the client or the server closes it.

    The stream first sends the records after the client's cursor, then new records as they are written.

    Args:
        scope: the ASGI scope of the request.
        receive: the ASGI function that receives the request.
        send: the ASGI function that sends the answer.
        asking: the query parameters of the request.
        as_lines: whether the stream consists of lines of NDJSON, and ends `asking.wait` seconds after it has reached
            the ledger's head, or at `asking.limit` records. If not, the stream consists of server-sent events, and
            `wait` and `limit` are ignored.

    Raises:
        CekalError, RequestValidationError: the request is refused, before the answer begins.
    """
    tail = feed_tail_of(scope)

    async def begin(request: Request, actor: Actor, after: str | None) -> Begun:
        asking.expect_valid()
        return await read_on(request, actor, after, asking.limit if as_lines else None)

    async def read_on(request: Request, actor: Actor, after: str | None, left: int | None) -> Begun:
        page = await _read(request, actor, after, _PAGE if left is None else min(left, _PAGE), asking)
        frames = (
            line(data) if as_lines else event(page.head.cursor(record.sequence), data)
            for record, data in zip(page.records, rendered(page, actor), strict=True)
        )
        return Begun(b"".join(frames), page.position, page.head, page.more, len(page.records))

    async def find(request: Request, actor: Actor) -> None:
        asking.expect_valid()
        async with runtime_of(request).reading(actor) as reader:
            (await head(reader)).position(asked_after(request), RESTART)

    feed = Feed(
        tail.hub,
        READERS,
        begin,
        about=Asked(asking.selection, as_lines),
        find=find,
        read_on=read_on,
        framing=_EVENTS,
    )
    if as_lines:
        feed = replace(feed, framing=_Lines(tail), wait=asking.wait, limit=asking.limit)
    await serve(scope, receive, send, feed)


async def _read(request: Request, actor: Actor, after: str | None, limit: int, asking: Asking) -> Changes:
    async with quotas_in(request).reading(actor), runtime_of(request).reading(actor) as reader:
        return await read_changes(reader, after, limit, RESTART, asking.selection)


def rendered(page: Changes, actor: Actor) -> list[bytes]:
    """Return the records of a page as JSON texts, in the page's order.

    The personal part of a record is null if the actor may not see it.
    """
    return [
        render(each, in_scope=within_scope(each.entry_id, each.agency, actor, page.closures))
        for each in page.records
    ]
