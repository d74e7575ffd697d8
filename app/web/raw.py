"""Routes whose answer is sent by raw ASGI, for the paths where every microsecond or every stream counts.

They match, and are documented, like any other route; only the handling is their own. Errors that they raise
before their answer has begun become problems as everywhere.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

Served = Callable[[Scope, Receive, Send], Awaitable[None]]


_SERVED_BY = "served_by"


class RawRoute(APIRoute):
    """A route that hands the connection over to what its endpoint was `documented` for."""

    @property
    def served(self) -> Served:
        """What serves the route."""
        return getattr(self.endpoint, _SERVED_BY)  # type: ignore[no-any-return]  # set by `documented`

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        await self.served(scope, receive, send)


def documented(served: Served) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark an endpoint as the documentation of what `served` really does; its own body never runs."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        setattr(endpoint, _SERVED_BY, served)
        return endpoint

    return mark
