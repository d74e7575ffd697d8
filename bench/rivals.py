"""What Cekal is measured against: the least that could do the same kind of thing on the same server.

Both are served by uvicorn on uvloop and httptools, as Cekal is.
"""

import asyncio

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

hello = FastAPI(openapi_url=None)
"""FastAPI's hello: a path operation that answers a dict, without middleware."""


@hello.get("/hello")
async def say_hello() -> dict[str, str]:
    """Answer a dict."""
    return {"message": "hello"}


_LONGEST_QUEUE = 256
_queues: set[asyncio.Queue[bytes]] = set()


async def broadcast(scope: Scope, receive: Receive, send: Send) -> None:
    """A bare broadcast: `GET /stream` listens, `POST /publish` sends the body to every listener as it is.

    Nothing is stored, nobody is asked for a key, and a frame that was missed is lost.
    """
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["method"] == "POST":
        await _publish(receive, send)
    else:
        await _stream(send)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        asked = (await receive())["type"]
        await send({"type": f"{asked}.complete"})
        if asked == "lifespan.shutdown":
            return


async def _publish(receive: Receive, send: Send) -> None:
    frame, more = b"", True
    while more:
        message = await receive()
        frame += message.get("body", b"")
        more = message.get("more_body", False)
    for queue in _queues:
        queue.put_nowait(frame)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _stream(send: Send) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue(_LONGEST_QUEUE)
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
    _queues.add(queue)
    try:
        while True:
            await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
    finally:
        _queues.discard(queue)
