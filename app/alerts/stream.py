"""The alert stream: server-sent events over raw ASGI (contract section 4)."""

import asyncio
import random
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.domain import Role
from app.access.guard import admit, database_reachable, runtime_of
from app.alerts.domain import frame
from app.alerts.hub import Hub, Stream
from app.alerts.service import list_open
from app.alerts.tail import Tail
from app.db.unit import Actor, Reader
from app.errors import Unavailable, WrongRole
from app.ledger.service import head, list_after, list_of_alerts

_PAGE = 500
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def stream_alerts(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream until it is closed by either side.

    The stream joins the hub before it reads what it missed, so nothing falls between: a frame that comes both
    ways is known by its sequence and sent once.
    """
    request = Request(scope, receive)
    with database_reachable():
        actor = await admit(request)
    if not actor.holds(Role.CHECKPOINT):
        raise WrongRole("Alerts are streamed to checkpoints.")
    hub: Hub = request.app.state.hub
    tail: Tail = request.app.state.tail
    if hub.full:
        raise Unavailable("No further stream can be opened here now.", retry_after=2)
    stream = hub.join(actor)
    try:
        after = request.headers.get("last-event-id") or request.query_params.get("after")
        missed, position = await _missed(request, actor, after)
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _pump(stream, send, receive, [_greeting(), *missed, tail.heartbeat()], position)
    except asyncio.CancelledError:
        if stream.why != "stuck":
            raise
    finally:
        hub.leave(stream)


def _greeting() -> bytes:
    return b"retry: %d\n\n" % random.randint(1000, 5000)  # noqa: S311 - spreads reconnects, guards nothing


async def _missed(request: Request, actor: Actor, after: str | None) -> tuple[list[bytes], int]:
    """The frames that a stream begins with, and the sequence up to which they reach."""
    async with runtime_of(request).reading(actor) as reader:
        here = await head(reader)
        if after is None:
            records = await list_of_alerts(reader, await list_open(reader))
            frames = [frame(record, here.epoch) for record in records]
            return [f for f in frames if f is not None], here.size
        return await _since(reader, here.position(after), here.epoch)


async def _since(reader: Reader, position: int, epoch: str) -> tuple[list[bytes], int]:
    frames = []
    while True:
        records = await list_after(reader, position, _PAGE, alerts_only=True)
        frames += [f for f in (frame(record, epoch) for record in records) if f is not None]
        if records:
            position = records[-1].sequence
        if len(records) < _PAGE:
            return frames, position


async def _pump(stream: Stream, send: Send, receive: Receive, first: Sequence[bytes], position: int) -> None:
    watcher = asyncio.create_task(_watch(stream, receive))
    loop = asyncio.get_running_loop()

    async def write(data: bytes, *, more: bool = True) -> None:
        stream.sending_since = loop.time()
        await send({"type": "http.response.body", "body": data, "more_body": more})
        stream.sending_since = None

    try:
        await write(b"".join(first))
        while True:
            await stream.wait()
            while stream.queue:
                sequence, data = stream.queue.popleft()
                if sequence == 0 or sequence > position:
                    await write(data)
            if stream.why is not None:
                break
        if stream.why != "gone":
            await write(b": %s\n\n" % stream.why.encode(), more=False)
    finally:
        watcher.cancel()


async def _watch(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close("gone")
