"""Routes whose answer is sent by raw ASGI, for the paths where every microsecond or every stream counts.

They match, and are documented, like any other route; only the handling is their own. Errors that they raise
before their answer has begun become problems as everywhere.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

Served = Callable[[Scope, Receive, Send], Awaitable[None]]


class RawRoute(APIRoute):
    """A route that hands the connection over to the `served_by` of its endpoint."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        await self.endpoint.served_by(scope, receive, send)


def documented(served: Served) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark an endpoint as the documentation of what `served` really does; its own body never runs."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.served_by = served  # type: ignore[attr-defined]  # read back by RawRoute.handle
        return endpoint

    return mark
