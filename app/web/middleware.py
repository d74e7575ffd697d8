"""The outermost ASGI layer, which processes every request before and after the application.

It is a single layer, because each layer costs time. In order: it assigns the request's ids, refuses ambiguous
requests, limits the size and arrival time of the body, turns unhandled errors into problem documents, adds the
headers that control browsers and caches, and records the request for the access log and the metrics.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, Unavailable, UnsupportedCoding
from app.kit.logs import Correlation, correlation
from app.web.access_log import AccessLog, Answered
from app.web.bodies import BodyLimits, BodyWatch, body_too_large_error
from app.web.coding import Coding
from app.web.methods import GET, HEAD, OPTIONS, WITH_BODY, as_get, methods_for_options
from app.web.metrics import Metrics
from app.web.origins import Origins
from app.web.problems import answer
from app.web.raw import RawRoute
from app.web.stream_connection import StreamConnection

__all__ = ["BodyLimits", "Edge"]

Header = tuple[bytes, bytes]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""Form of `Host` (RFC 9110 section 7.2); empty is allowed for a target without an authority (RFC 9112 section 3.2)."""

_SINGLE = frozenset({b"authorization", b"content-type", b"idempotency-key", b"last-event-id"})
"""Headers that must not be repeated, because they determine the act or its caller."""

_AS_IT_IS = frozenset({b"", b"identity"})
"""The accepted values of `Content-Encoding`: those that mean no encoding."""

_LONGEST_LENGTH = 19
"""Number of digits of a `Content-Length` that are parsed: more than any limit has."""

_UNREAD = Correlation("", "")
"""The ids of a request whose headers have not been read yet."""

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
    """The outermost ASGI layer: gives requests their ids, limits bodies, answers errors, adds headers, keeps the log.

    Args:
        app: the inner application.
        metrics: the metrics that count answered requests.
        body_limit: returns the largest allowed size of a body, in bytes, for a path.
        body_timeout: longest wait for each part of an announced body, in seconds.
        origins: the origins of web pages that may call.

    Inner layers can use three members of a request's `scope["state"]`: `headers`, a list of headers that every answer
    to this request gets, errors included; `at_end`, a list of functions to call when the request ends; and `goes_on`,
    the `StreamConnection` that sends the rest of the answer. A request ends when its stream connection ends, or without
    one when its ASGI call returns.

    Attributes:
        express: raw routes that this layer serves directly, bypassing all inner layers; by method and path.
        closing: set it before requests are cancelled at the service's stop: they are then answered with 503.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        body_limit: Callable[[str], int],
        body_timeout: float = 15.0,
        origins: Iterable[str] = (),
    ) -> None:
        self.app = app
        self._accounts = AccessLog(metrics)
        self._bodies = BodyWatch(body_timeout)
        self._coding = Coding()
        self._origins = Origins(origins)
        self._body_limit = body_limit
        self.express: dict[tuple[str, str], RawRoute] = {}
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of ASGI connections are passed on unchanged.

        Errors are answered with problem documents. An error after a part of the answer was sent is raised again.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = perf_counter()
        scope.setdefault("state", {})
        request_ids = _UNREAD
        token = correlation.set(request_ids)
        reply = _Reply(send)
        try:
            received = _read_headers(scope["headers"])
            request_ids = Correlation(received.request_id.decode(), received.traceparent[3:35].decode())
            correlation.set(request_ids)
            state = scope["state"]
            state["request_id"], state["traceparent"] = (
                request_ids.request_id,
                received.traceparent.decode(),
            )
            reply.headers = state["headers"] = self._headers(scope, received)
            _refuse_ambiguous(scope, received)
            if received.length != 0:
                receive = self._guarded(scope, receive, received)
            route = self.express.get((scope["method"], scope["path"]))
            if route is None:
                await self._serve(scope, receive, reply)
            else:
                scope["endpoint"] = route.endpoint
                await route.served(scope, receive, reply.send)
        except asyncio.CancelledError:
            if reply.status or not self.closing:
                raise
            stopping = Unavailable("The service is stopping.", retry_after=1)
            await answer(scope, stopping)(scope, receive, reply.send)
        except ClientDisconnect:
            pass  # no client is left to answer; the access log records status 0
        except Exception as error:
            if reply.complete:  # Starlette answers and logs an unexpected error, and then raises it again
                return
            if reply.status:  # part of the answer was sent: only the server can signal the failure
                _log.error("the answer broke off")
                raise
            await answer(scope, error)(scope, receive, reply.send)
        finally:
            self._conclude(scope, self._accounts.describe(scope, reply.status, request_ids), begun)
            correlation.reset(token)

    def _conclude(self, scope: Scope, answered: Answered, begun: float) -> None:
        """End the request now, or with the connection on which its answer goes on."""
        end = _End(self._accounts, answered, begun, tuple(scope["state"].get("at_end", ())))
        connection: StreamConnection | None = scope["state"].get("goes_on")
        if connection is None:
            end()
        else:
            connection.when_over(end)

    def _headers(self, scope: Scope, received: "_RequestHeaders") -> list[Header]:
        """Return the headers of every answer to this request, unless the application sets them."""
        headers = [
            (b"x-request-id", received.request_id),
            (b"traceparent", received.traceparent),
            *_ALWAYS,
        ]
        if scope.get("scheme") == "https":
            headers.append(_HSTS)
        if self._origins and scope["method"] != OPTIONS:
            headers += self._origins.headers(scope)
        return headers

    async def _serve(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        """Let the application serve a request, with OPTIONS, HEAD and compression handled here."""
        method: str = scope["method"]
        send: Send = reply.send
        if method == OPTIONS and (allowed := methods_for_options(scope)):
            reply.headers = [
                *reply.headers,
                *(self._origins.headers(scope, allowed) if self._origins else ()),
            ]
            await Response(status_code=204, headers={"allow": ", ".join(allowed)})(scope, receive, send)
            return
        inner = scope
        if method == HEAD:
            inner, send = as_get(scope), reply.send_head
        if inner["method"] == GET:
            inner, send = self._coding.applied(inner, send)
        try:
            await self.app(inner, receive, send)
        finally:
            if "endpoint" in inner:  # the log and the metrics identify the route by it
                scope["endpoint"] = inner["endpoint"]

    def _guarded(self, scope: Scope, receive: Receive, received: "_RequestHeaders") -> Receive:
        limit = self._body_limit(scope["path"])
        if received.length is not None and received.length > limit:
            raise body_too_large_error()
        if received.encoded and scope["method"] in WITH_BODY:
            raise UnsupportedCoding("The body is sent as it is, without Content-Encoding.")
        return self._bodies.guard(receive, limit)


class _End:
    """Ends one request: its quota is free, and it is recorded; small, because each open stream has one."""

    __slots__ = ("_accounts", "_answered", "_at_end", "_begun")

    def __init__(
        self, accounts: AccessLog, answered: Answered, begun: float, at_end: tuple[Callable[[], None], ...]
    ) -> None:
        self._accounts = accounts
        self._answered = answered
        self._begun = begun
        self._at_end = at_end

    def __call__(self) -> None:
        for act in self._at_end:
            act()
        self._accounts.note(self._answered, perf_counter() - self._begun)


class _Reply:
    """Sends the answer with the request's common headers, and stores its status (0: none yet)."""

    __slots__ = ("_send", "complete", "headers", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers: Sequence[Header] = _ALWAYS
        self.status = 0
        self.complete = False

    async def send(self, message: Message) -> None:
        """Send one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message.get("headers", ())
            named = {name for name, _ in own}
            ours = self.headers
            if not named.isdisjoint(_OURS):
                ours = [header for header in ours if header[0] not in named]
            message = {**message, "headers": [*own, *ours]}  # endpoints may share a message
        await self._send(message)
        if message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)

    async def send_head(self, message: Message) -> None:
        """Send one ASGI message of an answer to HEAD, without its body."""
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.send(message)


class _RequestHeaders(NamedTuple):
    """The values of a request's headers that this layer needs.

    Attributes:
        request_id: the caller's `X-Request-Id`, or a generated one.
        traceparent: the caller's `traceparent`, or a generated one.
        length: size of the body in bytes: 0 without a body, None when unknown.
        encoded: whether `Content-Encoding` announces a compressed or otherwise encoded body.
        hosts: the values of all `Host` headers.
        single: the names of the received headers that must not be repeated, once for each occurrence.
    """

    request_id: bytes
    traceparent: bytes
    length: int | None
    encoded: bool
    hosts: Sequence[bytes]
    single: Sequence[bytes]


def _read_headers(headers: Iterable[Header]) -> _RequestHeaders:
    """Read the request's headers in one pass; missing or malformed ids are generated."""
    request_id = traceparent = None
    length: int | None = 0
    encoded = False
    hosts: list[bytes] = []
    single: list[bytes] = []
    for name, value in headers:
        if name in _SINGLE:
            single.append(name)
        elif name == b"host":
            hosts.append(value)
        elif name == b"content-length":
            length = _length(value) if length is not None else None
        elif name == b"transfer-encoding":
            length = None
        elif name == b"content-encoding":
            encoded = encoded or value.strip().lower() not in _AS_IT_IS
        elif name == b"x-request-id":
            request_id = value if _REQUEST_ID.fullmatch(value) else None
        elif name == b"traceparent":
            traceparent = value if _TRACEPARENT.fullmatch(value) else None
    if request_id is None or traceparent is None:
        random = os.urandom(40).hex().encode()
        request_id = request_id or random[:32]
        traceparent = traceparent or b"00-%b-%b-00" % (random[32:64], random[64:])
    return _RequestHeaders(request_id, traceparent, length, encoded, hosts, single)


def _length(value: bytes) -> int | None:
    """Parse a `Content-Length`, leading zeros allowed (RFC 9110 section 8.6). Returns None for other text.

    Python refuses numbers of more than 4300 digits; a number above every limit does not have to be exact.
    """
    if not value.isdigit():
        return None
    if len(value) > _LONGEST_LENGTH:
        value = value.lstrip(b"0")[:_LONGEST_LENGTH] or b"0"
    return int(value)


def _refuse_ambiguous(scope: Scope, received: _RequestHeaders) -> None:
    """Refuse a request that different HTTP implementations could interpret differently.

    Raises:
        BadRequest: it has no host (HTTP/1.1), several hosts or a malformed one (RFC 9112 section 3.2), or repeats a
            header: one implementation would use the first and another the last (RFC 9110 section 5.3).
    """
    if len(received.hosts) > 1 or (not received.hosts and scope.get("http_version") == "1.1"):
        raise BadRequest("A request names one Host.")
    if received.hosts and not _HOST.fullmatch(received.hosts[0]):
        raise BadRequest("Host is a name or an address, and a port if need be.")
    if len(set(received.single)) != len(received.single):
        raise BadRequest("Authorization, Content-Type, Idempotency-Key and Last-Event-ID may come once only.")
