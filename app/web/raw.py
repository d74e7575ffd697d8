"""Routes that are served at the ASGI level, without FastAPI, for the most frequent call and for streams.

They are matched and documented like other routes; only the handling differs. Errors that they raise before their answer
has begun become problem documents as usual.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.web.request_rules import MODELS, RequestRules

Served = Callable[[Scope, Receive, Send], Awaitable[None]]

T = TypeVar("T")

_SERVED_BY = "served_by"


class RawRoute(APIRoute):
    """A route that passes its requests to an ASGI function instead of its endpoint.

    The endpoint must be decorated by `documented`, which names the ASGI function. It is never called, and only gives
    the OpenAPI document the route's parameters, body and answer.
    """

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._serve: Served = getattr(self.endpoint, _SERVED_BY)
        self._rules = RequestRules.of(self)

    async def served(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the ASGI function, whatever the request's method.

        The ASGI function must call `expect_rules` after it has authenticated the caller.
        """
        scope["state"]["rules"] = self._rules
        await self._serve(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the ASGI function; a request with another method gets 405, as on FastAPI's routes."""
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        await self.served(scope, receive, send)


def documented(
    served: Served, models: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator for the endpoint that documents `served`; the body of the endpoint never runs.

    Args:
        served: the ASGI function that serves the requests.
        models: the models of the answer in other media types than JSON, by media type. The endpoint's return type is
            the model of JSON.
    """

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        setattr(endpoint, _SERVED_BY, served)
        if models is not None:
            setattr(endpoint, MODELS, models)
        return endpoint

    return mark


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Await long work and return its result; cancel the work if the client disconnects before its end.

    Args:
        receive: the request's ASGI channel, after its body was read.
        work: the work.

    Raises:
        ClientDisconnect: the client has disconnected first.
        Exception: `work` has raised it.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
