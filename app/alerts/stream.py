"""Streams of server-sent events over raw ASGI: the alerts (contract section 4), and what else is told like them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.domain import Role
from app.access.guard import admit, in_time, runtime_of, take, take_if_known
from app.access.quotas import Quota
from app.alerts.hub import AT_ONCE, Hub, Stream
from app.alerts.store import still_holding
from app.alerts.tail import Tail
from app.alerts.telling import at_gate, frame
from app.db.unit import Actor
from app.errors import RolledBack, Unavailable, WrongRole
from app.ledger.service import head, list_after

_PAGE = 500
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class Feed:
    """What is streamed.

    Attributes:
        hub: where its streams wait for frames.
        roles: who may open one: a holder of one of these.
        begin: what a stream is sent first, given its cursor if it named one, and the number up to which that
            reaches; called when the stream has joined the hub already.
        heartbeat: the frame that says how far the feed has come.
        about: the one thing that the stream is about, where its hub has streams about many.
    """

    hub: Hub
    roles: frozenset[str]
    begin: Callable[[Request, Actor, str | None], Awaitable[tuple[bytes, int]]]
    heartbeat: Callable[[], bytes]
    about: str | None = None


async def stream_alerts(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of alerts until it is closed by either side."""
    state = scope["app"].state
    tail: Tail = state.tail
    await serve(
        scope, receive, send, Feed(state.hub, frozenset({Role.CHECKPOINT}), _begin_alerts, tail.heartbeat)
    )


async def serve(scope: Scope, receive: Receive, send: Send, feed: Feed) -> None:
    """Serve one stream until it is closed by either side.

    The stream joins the hub before it reads what it missed, so nothing falls between: a frame that comes both
    ways is known by its sequence and sent once.
    """
    stream: Stream | None = None
    request = Request(scope, receive)
    taken = await take_if_known(request, Quota.STREAMS)  # a refused caller takes no place in the entrance
    try:
        async with feed.hub.entrance, in_time(request):
            stream, first, position = await _enter(request, feed, taken=taken)
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _write(stream, send, first.pop())
        await _pump(stream, send, receive, position)
    except asyncio.CancelledError:
        if stream is None or stream.why != "stuck":  # not the hub's doing, see Stream.cut
            raise
    finally:
        if stream is not None:
            feed.hub.leave(stream)


async def _enter(request: Request, feed: Feed, *, taken: bool) -> tuple[Stream, list[bytes], int]:
    """Let a stream in.

    A key that was revoked while its stream was on the way into the hub is looked at once more: the follower has
    closed the revoked ones then, and would not come back for it.

    Returns:
        The stream; what it is sent first, in a list to be popped, because no stream shall hold on to bytes that
        were sent; and the sequence up to which that reaches.
    """
    tail: Tail = request.app.state.tail
    seen = tail.access_version
    if tail.gone_back is not None:
        raise RolledBack(f"Nothing is streamed here: {tail.gone_back}.", retry_after=5)
    if tail.degraded:  # a crowd that waits at the entrance must not wait for the database one by one
        raise Unavailable("The ledger can't be read now.", retry_after=2)
    actor = await admit(request)
    if not actor.holds(*feed.roles):
        raise WrongRole(f"This stream is for: {', '.join(sorted(feed.roles))}.")
    if not taken:
        await take(request.scope, Quota.STREAMS, actor)
    if feed.hub.full:
        raise Unavailable("No further stream can be opened here now.", retry_after=2)
    stream = feed.hub.join(actor, feed.about)
    try:
        if tail.access_version != seen:
            await admit(request)
        after = request.headers.get("last-event-id") or request.query_params.get("after")
        missed, position = await feed.begin(request, actor, after)
    except BaseException:
        feed.hub.leave(stream)
        raise
    return stream, [b"".join([_greeting(), missed, feed.heartbeat()])], position


def _greeting() -> bytes:
    return b"retry: %d\n\n" % random.randint(1000, 5000)  # noqa: S311 - spreads reconnects, guards nothing


async def _begin_alerts(request: Request, actor: Actor, after: str | None) -> tuple[bytes, int]:
    """The alerts behind a cursor, or without one all that still hold, as frames, and how far they reach.

    Of those behind a cursor the ones that have ended meanwhile name nobody any more.

    Raises:
        Invalid, CursorGone: as `Head.position`.
    """
    if not after:
        tail: Tail = request.app.state.tail
        return await tail.standing(to_gate=at_gate(actor))
    async with runtime_of(request).reading(actor) as reader:
        here = await head(reader)
        position = here.position(after)
        frames = []
        while True:
            records = await list_after(reader, position, _PAGE, alerts_only=True)
            holding = await still_holding(reader, records)
            frames += [
                frame(record, here.epoch, to_gate=at_gate(actor), holding=holding) or b""
                for record in records
            ]
            if records:
                position = records[-1].sequence
            if len(records) < _PAGE:
                return b"".join(frames), position


async def _write(stream: Stream, send: Send, data: bytes, *, more: bool = True) -> None:
    stream.sending_since = asyncio.get_running_loop().time()
    await send({"type": "http.response.body", "body": data, "more_body": more})
    stream.sending_since = None


async def _pump(stream: Stream, send: Send, receive: Receive, position: int) -> None:
    watcher = asyncio.create_task(_watch(stream, receive))
    try:
        while True:
            await stream.wait()
            for sequence, data in stream.take():
                if stream.why in AT_ONCE:
                    break
                if sequence == 0 or sequence > position:
                    await _write(stream, send, data)
            if stream.why is not None:
                break
        if stream.why != "gone":
            await _write(stream, send, b": %s\n\n" % stream.why.encode(), more=False)
    finally:
        watcher.cancel()


async def _watch(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close("gone")
