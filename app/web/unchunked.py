"""Answers of unknown length for HTTP/1.0, which knows no chunks: the end of the connection is the end of the answer.

uvicorn's protocol sends chunks to every client, so that one of HTTP/1.0 would take their sizes for content.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def unchunked(app: ASGIApp, cycle: RequestResponseCycle) -> ASGIApp:
    """Return an application that does what `app` does, but sends answers of unknown length without chunks.

    The end of such an answer is the end of the connection.

    Args:
        app: the application.
        cycle: uvicorn's state of the request, in which the chunks are switched off.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        unsized = False

        async def send_unchunked(message: Message) -> None:
            nonlocal unsized
            if message["type"] == "http.response.start":
                unsized = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
                if unsized:
                    cycle.chunked_encoding = False
            elif unsized:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_unchunked)

    return serve
