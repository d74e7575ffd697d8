"""What happens to every request before and after the application: one pure ASGI layer, because each costs.

In order: the request gets its ids, a body that is too large or never comes is cut off, errors that nothing
handled become a problem, every answer gets the headers that keep browsers and caches in check, and what was
answered is noted for the access log and the metrics.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.logs import Correlation, correlation
from app.web.accounts import Accounts
from app.web.bodies import BodyLimits, BodyWatch, too_large
from app.web.metrics import Metrics
from app.web.problems import answer
from app.web.raw import RawRoute

__all__ = ["BodyLimits", "Edge"]

Header = tuple[bytes, bytes]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_ALWAYS: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
_OURS = frozenset({b"x-request-id", b"traceparent", *(name for name, _ in (*_ALWAYS, _HSTS))})

_log = logging.getLogger(__name__)


class Edge:
    """The outermost layer: it stands in front of FastAPI's own, see `main.Application`.

    Args:
        app: the application behind it.
        metrics: where answered requests are counted.
        body_limit: how many bytes a body may have, by path.
        body_timeout: how many seconds to wait for each part of an announced body.

    Attributes:
        express: by method and path, the raw routes that are served from here, past every layer behind.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        body_limit: Callable[[str], int],
        body_timeout: float = 15.0,
    ) -> None:
        self.app = app
        self._accounts = Accounts(metrics)
        self._bodies = BodyWatch(body_timeout)
        self._body_limit = body_limit
        self.express: dict[tuple[str, str], RawRoute] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of connection pass untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = perf_counter()
        told = _read_headers(scope["headers"])
        known_as = Correlation(told.request_id.decode(), told.traceparent[3:35].decode())
        state = scope.setdefault("state", {})
        state["request_id"], state["traceparent"] = known_as.request_id, told.traceparent.decode()
        reply = _Reply(send, self._headers(scope, told))
        token = correlation.set(known_as)
        try:
            if told.length != 0:
                receive = self._guarded(scope, receive, told.length)
            route = self.express.get((scope["method"], scope["path"]))
            if route is None:
                await self.app(scope, receive, reply.send)
            else:
                scope["endpoint"] = route.endpoint
                await route.served(scope, receive, reply.send)
        except ClientDisconnect:
            pass  # nobody is left to be answered; the access log tells with status 0
        except Exception as error:
            if (
                reply.complete
            ):  # Starlette answers and logs what nobody foresaw, and then raises it all the same
                return
            if reply.status:  # half an answer is out: only the server can make the break visible
                _log.error("the answer broke off")
                raise
            await answer(scope, error)(scope, receive, reply.send)
        finally:
            self._accounts.note(scope, reply.status, perf_counter() - begun, known_as)
            correlation.reset(token)

    def _headers(self, scope: Scope, told: "_Told") -> list[Header]:
        """What every answer to this request carries, unless the application says otherwise."""
        headers = [(b"x-request-id", told.request_id), (b"traceparent", told.traceparent), *_ALWAYS]
        if scope.get("scheme") == "https":
            headers.append(_HSTS)
        return headers

    def _guarded(self, scope: Scope, receive: Receive, length: int | None) -> Receive:
        limit = self._body_limit(scope["path"])
        if length is not None and length > limit:
            raise too_large()
        return self._bodies.guard(receive, limit)


class _Reply:
    """Passes the answer on with the headers that belong to it, and remembers its status (0: none yet)."""

    __slots__ = ("_headers", "_send", "complete", "status")

    def __init__(self, send: Send, headers: list[Header]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0
        self.complete = False

    async def send(self, message: Message) -> None:
        """Send one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message.get("headers", ())
            named = {name for name, _ in own}
            ours = self._headers
            if not named.isdisjoint(_OURS):
                ours = [header for header in ours if header[0] not in named]
            message = {**message, "headers": [*own, *ours]}  # a raw endpoint may send one message to many
        await self._send(message)
        if message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)


class _Told(NamedTuple):
    """What a request's headers say that matters here; `length` is 0 for no body, None for an unknown one."""

    request_id: bytes
    traceparent: bytes
    length: int | None


def _read_headers(headers: Iterable[Header]) -> _Told:
    """One pass over the request's headers; ids that are absent or malformed are made."""
    request_id = traceparent = None
    length: int | None = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if length is not None and value.isdigit() else None
        elif name == b"transfer-encoding":
            length = None
        elif name == b"x-request-id":
            request_id = value if _REQUEST_ID.fullmatch(value) else None
        elif name == b"traceparent":
            traceparent = value if _TRACEPARENT.fullmatch(value) else None
    if request_id is None or traceparent is None:
        random = os.urandom(40).hex().encode()
        request_id = request_id or random[:32]
        traceparent = traceparent or b"00-%b-%b-00" % (random[32:64], random[64:])
    return _Told(request_id, traceparent, length)
