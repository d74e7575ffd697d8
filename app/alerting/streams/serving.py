"""Serving of streams over raw ASGI: admission and missed events; the hub sends what is new."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import admit, in_time, take, take_for_cached_key
from app.access.admission.quotas import Quota
from app.actor import Actor
from app.alerting.streams.follower import ledger_of
from app.alerting.streams.framing import EVENTS, EventFraming
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import CUT, Stream
from app.errors import CursorGone, RolledBack, Unavailable, WrongRole
from app.ledger.domain import Head
from app.web.methods import is_head
from app.web.protocol import connection_of
from app.web.request_rules import expect_rules


class Begun(NamedTuple):
    """Events with which a stream begins, or a page of them, read from the database.

    They are the events after the client's cursor. Without a cursor they are those with which the feed begins, such as
    all open alerts.

    Attributes:
        frames: the events that are meant for the client, as bytes.
        position: number of the last event that was looked at, whether it is meant for the client or not.
        head: the ledger's head, whose epoch is part of the stream's cursors.
        more: whether further events were missed, to be read by `Feed.read_on`.
        events: number of events in `frames`; only feeds with a `limit` need it.
    """

    frames: bytes
    position: int
    head: Head
    more: bool = False
    events: int = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """What `serve` needs to know about a kind of stream.

    Attributes:
        hub: the hub that distributes its frames.
        roles: an actor needs one of these roles to open a stream.
        begin: function that reads the events with which a stream begins. Its last argument is the client's cursor; None
            without one. It is called after the stream has joined the hub.
        about: the stream's topic; None if the hub has no topics.
        find: function that a HEAD request calls; it raises NotFound if the actor may not see the topic. None if there
            is nothing to check.
        read_on: function that reads the next missed events after a cursor; None if `begin` reads all at once. Its last
            argument is the number of events that the stream may still send; None for any number.
        framing: the format of the stream.
        wait: seconds after which the stream is closed, counted from the end of the missed events; None for no limit.
        limit: how many events the stream sends at most; None for any number.
    """

    hub: Hub
    roles: frozenset[str]
    begin: Callable[[Request, Actor, str | None], Awaitable[Begun]]
    about: Hashable = None
    find: Callable[[Request, Actor], Awaitable[object]] | None = None
    read_on: Callable[[Request, Actor, str, int | None], Awaitable[Begun]] | None = None
    framing: EventFraming = EVENTS
    wait: float | None = None
    limit: int | None = None


async def serve(scope: Scope, receive: Receive, send: Send, feed: Feed) -> None:
    """Admit a stream, send the events that its client missed, and hand its connection to the hub.

    A HEAD request is answered with the header fields only. The stream joins the hub before it reads the missed events,
    so that no event is lost. An event that is both among the missed ones and published is sent once.

    Raises:
        CekalError: the stream is refused before its answer begins: RolledBack, Unavailable, Unauthenticated, WrongRole,
            a used-up quota, or an error of `feed.begin` or `feed.find`.
    """
    stream: Stream | None = None
    request = Request(scope, receive)
    start = {"type": "http.response.start", "status": 200, "headers": feed.framing.headers}
    if is_head(scope):
        async with in_time(request):
            actor = await _admit_reader(request, feed)
            if feed.find is not None:
                await feed.find(request, actor)
        await send(start)
        await send({"type": "http.response.body"})
        return
    taken = await take_for_cached_key(
        request, Quota.STREAMS
    )  # a refused caller must not occupy the admission semaphore
    watcher: asyncio.Task[None] | None = None
    try:
        async with feed.hub.entrance, in_time(request):
            stream, first = await _enter(request, feed, taken=taken)
        connection_of(scope).begin_stream()
        await send(start)
        if first[0].more:
            watcher = asyncio.create_task(_watch(stream, receive))
        await _catch_up(request, stream, send, feed, first)
        _hand_over(scope, stream, feed)
    except asyncio.CancelledError:
        if stream is None or stream.why not in CUT:  # not the hub's doing, see Stream.cut
            raise
    finally:
        if watcher is not None:
            watcher.cancel()
        if stream is not None and stream.connection is None:
            feed.hub.leave(stream)


def _hand_over(scope: Scope, stream: Stream, feed: Feed) -> None:
    """Hand the connection to the hub; the request counts as in progress until the stream ends."""
    connection = connection_of(scope).hand_over(stream)
    if connection is None:
        return
    scope["state"]["goes_on"] = connection
    feed.hub.go_live(stream, connection)
    if feed.wait is not None:
        asyncio.get_running_loop().call_later(feed.wait, feed.hub.complete, stream)


async def _enter(request: Request, feed: Feed, *, taken: bool) -> tuple[Stream, list[Begun]]:
    """Admit a stream to the hub, and read its first missed events.

    If access rights changed during the admission, the key is checked once more: the follower has already closed the
    streams of revoked keys, and would not find this one.

    Returns:
        The stream, and its first missed events in a list to be popped, so that they are freed once sent.
    """
    ledger = ledger_of(request)
    seen = ledger.access_version
    actor = await _admit_reader(request, feed)
    if not taken:
        await take(request.scope, Quota.STREAMS, actor)
    if feed.hub.full:
        raise Unavailable("No further stream can be opened here now.", retry_after=2)
    stream = feed.hub.join(actor, feed.about)
    stream.framing, stream.left = feed.framing, feed.limit
    try:
        if ledger.access_version != seen:
            await admit(request)
        stream.reading = feed.read_on is not None
        begun = await feed.begin(request, actor, asked_after(request))
    except BaseException:
        feed.hub.leave(stream)
        raise
    return stream, [begun]


def asked_after(request: Request) -> str | None:
    """Return the cursor after which a client continues a stream: `Last-Event-ID`, or `after` in the query, or None."""
    return request.headers.get("last-event-id") or request.query_params.get("after")


async def _admit_reader(request: Request, feed: Feed) -> Actor:
    """Return the actor of a request if they may open the stream and the ledger can be read.

    Raises:
        RolledBack, Unavailable: nothing can be streamed now.
        Unauthenticated, WrongRole: the caller may not open the stream.
    """
    ledger = ledger_of(request)
    if ledger.rollback_reason is not None:
        raise RolledBack(f"Nothing is streamed here: {ledger.rollback_reason}.", retry_after=5)
    if ledger.degraded:  # callers that wait for admission must not wait for the database one after another
        raise Unavailable("The ledger can't be read now.", retry_after=2)
    actor = await admit(request)
    expect_rules(request.scope)
    if not actor.holds(*feed.roles):
        raise WrongRole(f"This stream is for: {', '.join(sorted(feed.roles))}.")
    return actor


async def _catch_up(request: Request, stream: Stream, send: Send, feed: Feed, pages: list[Begun]) -> None:
    """Send the missed events, page by page.

    While more than a page is missed, the stream's queue takes no frames: the pages to come hold them too. It takes them
    again before each page is read, for that may be the last one.
    """
    data = [feed.framing.opening()]
    while True:
        begun = pages.pop()
        stream.reading = False
        stream.position, stream.head = begun.position, begun.head
        more = begun.more or stream.behind
        data.append(begun.frames)
        if more:
            stream.fall_behind()
        elif feed.framing.beats:  # its reach is not used: frames between the two numbers may be in the queue
            data.append(stream.identified(feed.hub.heartbeat().frame))
        stream.count(begun.events)
        del begun
        await _write(stream, send, _joined(data))
        if not more or stream.why is not None or feed.read_on is None:
            return
        stream.behind, stream.reading = False, True
        try:
            async with in_time(request):
                after = stream.head.cursor(stream.position)
                pages.append(await feed.read_on(request, stream.actor, after, stream.left))
        except (CursorGone, Unavailable) as error:
            stream.fall_behind()  # what is queued comes after a gap
            stream.close("restored" if isinstance(error, CursorGone) else "unavailable")
            return


def _joined(data: list[bytes]) -> bytes:
    """Join parts and clear their list, so that a long part is not held twice while it is sent."""
    joined = b"".join(data)
    data.clear()
    return joined


async def _write(stream: Stream, send: Send, data: bytes) -> None:
    if data:
        stream.sending_since = asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": data, "more_body": True})
        stream.sending_since = None


async def _watch(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close("gone")
