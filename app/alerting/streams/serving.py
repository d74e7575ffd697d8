"""Serving a stream at the ASGI level: admission, missed events, then new frames."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import admit, in_time, take, take_for_cached_key
from app.access.admission.quotas import Quota
from app.actor import Actor
from app.alerting.streams.follower import ledger_of
from app.alerting.streams.hub import AT_ONCE, Heartbeat, Hub, Stream
from app.errors import CursorGone, RolledBack, Unavailable, WrongRole
from app.ledger.domain import Head
from app.web.methods import is_head
from app.web.request_rules import EVENT_STREAM, expect_rules

Header = tuple[bytes, bytes]


class Begun(NamedTuple):
    """Missed events of a stream, read from the database.

    Attributes:
        frames: the events, after the position at which the reading began.
        position: the number of the last event that these cover.
        end: the feed's head, which encodes numbers as cursors.
        more: whether further events were missed, to be read by `Feed.read_on`.
        events: how many these are; only feeds with a `limit` need it.
    """

    frames: bytes
    position: int
    end: Head
    more: bool = False
    events: int = 0


class Ended(NamedTuple):
    """The end of a stream.

    Attributes:
        why: why it is closed.
        end: encodes numbers as cursors.
        position: the number of the last event that the stream covers.
        reach: the feed's last number.
    """

    why: str
    end: Head
    position: int
    reach: int


class EventFraming:
    """The format of server-sent events (WHATWG HTML section 9.2); a feed in another format has a framing of its own.

    Attributes:
        headers: the header fields of the answer.
        beats: whether the format has heartbeats.
    """

    headers: Sequence[Header] = (
        (b"content-type", EVENT_STREAM.encode() + b"; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    )
    beats = True

    def opening(self) -> bytes:
        """Return the first bytes of a stream: how long a client waits to reconnect, spread over some seconds."""
        return b"retry: %d\n\n" % random.randint(1000, 5000)  # noqa: S311 - spreads reconnects, guards nothing

    def ending(self, ended: Ended) -> bytes:
        """Return the last bytes of a stream."""
        return b": %b\n\n" % ended.why.encode()


@dataclass(frozen=True, slots=True)
class Feed:
    """The source of a kind of stream.

    Attributes:
        hub: the hub that distributes its frames.
        roles: an actor needs one of these roles to open a stream.
        begin: function that reads a stream's first data after a cursor, if the client sent one; it is called when
            the stream has joined the hub.
        heartbeat: function that returns the heartbeat frame.
        about: the stream's topic, if the hub has streams of several topics.
        find: function that raises NotFound if the topic is not visible to the actor, for a HEAD request.
        read_on: function that reads further missed events after a cursor, where `begin` does not read all at once. Its
            last argument is how many the stream may still send, or None.
        framing: the format.
        wait: seconds after the missed events for which new ones are sent; None until the client or the server closes.
        limit: how many events the stream sends at most; None for any number.
    """

    hub: Hub
    roles: frozenset[str]
    begin: Callable[[Request, Actor, str | None], Awaitable[Begun]]
    heartbeat: Callable[[], Heartbeat]
    about: Hashable = None
    find: Callable[[Request, Actor], Awaitable[object]] | None = None
    read_on: Callable[[Request, Actor, str, int | None], Awaitable[Begun]] | None = None
    framing: EventFraming = field(default_factory=EventFraming)
    wait: float | None = None
    limit: int | None = None


async def serve(scope: Scope, receive: Receive, send: Send, feed: Feed) -> None:
    """Serve one stream until the client or the server closes it; answer a HEAD request with the headers only.

    The stream joins the hub before it reads the missed events, so that no event is lost. A frame that comes from
    both is recognised by its sequence and sent once.
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
        await send(start)
        watcher = asyncio.create_task(_watch(stream, receive))
        sent = _Sent(first[0].position, first[0].end, feed.limit)
        await _catch_up(request, stream, send, feed, sent, first)
        await _pump(stream, send, feed, sent)
    except asyncio.CancelledError:
        if stream is None or stream.why != "stuck":  # not the hub's doing, see Stream.cut
            raise
    finally:
        if watcher is not None:
            watcher.cancel()
        if stream is not None:
            feed.hub.leave(stream)


@dataclass(slots=True)
class _Sent:
    """How far a stream has sent.

    Attributes:
        position: the number of the last event that the stream covers.
        end: encodes numbers as cursors.
        left: how many events may still be sent; None for any number.
    """

    position: int
    end: Head
    left: int | None

    def identified(self, frame: bytes) -> bytes:
        """Return a heartbeat with the cursor behind everything that was sent."""
        return b"id: %b\n%b" % (self.end.cursor(self.position).encode(), frame)

    def count(self, events: int) -> bool:
        """Count events that were sent. Returns whether no further one may be sent."""
        if self.left is None:
            return False
        self.left -= events
        return self.left <= 0


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
    """Return the cursor after which a client continues a stream; None without one."""
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


async def _catch_up(
    request: Request, stream: Stream, send: Send, feed: Feed, sent: _Sent, pages: list[Begun]
) -> None:
    """Send the missed events, page by page.

    While more than a page is missed, the stream's queue takes no frames: the pages to come hold them too. It takes them
    again before each page is read, for that may be the last one.
    """
    data = [feed.framing.opening()]
    while True:
        begun = pages.pop()
        stream.reading = False
        sent.position, sent.end = begun.position, begun.end
        more = begun.more or stream.behind
        data.append(begun.frames)
        if more:
            stream.fall_behind()
        elif feed.framing.beats:  # its reach is not used: frames between the two numbers may be in the queue
            data.append(sent.identified(feed.heartbeat().frame))
        if sent.count(begun.events):
            stream.close("full")
        del begun
        await _write(stream, send, _joined(data))
        if not more or stream.why is not None or feed.read_on is None:
            return
        stream.behind, stream.reading = False, True
        try:
            async with in_time(request):
                after = sent.end.cursor(sent.position)
                pages.append(await feed.read_on(request, stream.actor, after, sent.left))
        except (CursorGone, Unavailable) as error:
            stream.fall_behind()  # what is queued comes after a gap
            stream.close("restored" if isinstance(error, CursorGone) else "unavailable")
            return


def _joined(data: list[bytes]) -> bytes:
    """Join parts and clear their list, so that a long part is not held twice while it is sent."""
    joined = b"".join(data)
    data.clear()
    return joined


async def _write(stream: Stream, send: Send, data: bytes, *, more: bool = True) -> None:
    if not data and more:
        return
    stream.sending_since = asyncio.get_running_loop().time()
    await send({"type": "http.response.body", "body": data, "more_body": more})
    stream.sending_since = None


async def _pump(stream: Stream, send: Send, feed: Feed, sent: _Sent) -> None:
    """Send queued frames until the stream is closed; skip those up to the position, which were sent before.

    A heartbeat's cursor is the one after the last event that was sent on this stream, so that a reader who resumes
    there neither skips nor repeats an event.
    """
    if feed.wait is not None:
        asyncio.get_running_loop().call_later(feed.wait, feed.hub.complete, stream, feed.heartbeat)
    while True:
        await stream.wait()
        for number, data in stream.take():
            if stream.why in AT_ONCE:
                break
            if number < 0:
                sent.position = max(sent.position, ~number)
                await _write(stream, send, sent.identified(data) if feed.framing.beats else b"")
            elif number == 0 or number > sent.position:
                sent.position = max(sent.position, number)
                await _write(stream, send, data)
                if sent.count(1):
                    stream.close("full")
                    break
        if stream.why is not None:
            break
    if stream.why != "gone":
        reach = max(sent.end.size, feed.heartbeat().reach)
        ended = Ended(stream.why, sent.end, sent.position, reach)
        await _write(stream, send, feed.framing.ending(ended), more=False)


async def _watch(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close("gone")
