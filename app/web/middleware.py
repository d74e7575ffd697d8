"""What happens to every request before and after the application: one pure ASGI layer, because each costs.

In order: the request gets its ids, one that can be read in two ways is refused, a body that is too large or never
comes is cut off, errors that nothing handled become a problem, every answer gets the headers that keep browsers and
caches in check, and what was answered is noted for the access log and the metrics.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, Unavailable
from app.kit.logs import Correlation, correlation
from app.web.accounts import Accounts
from app.web.bodies import BodyLimits, BodyWatch, too_large
from app.web.metrics import Metrics
from app.web.problems import answer
from app.web.raw import RawRoute

__all__ = ["BodyLimits", "Edge"]

Header = tuple[bytes, bytes]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""RFC 9110 section 7.2; an empty one is allowed where the target names no authority (RFC 9112 section 3.2)."""

_SINGLE = frozenset({b"authorization", b"content-type", b"idempotency-key", b"last-event-id"})
"""Headers that hold one value each, and decide what is done, or which caller it is done for."""

_LONGEST_LENGTH = 19
"""So many digits of a body's length are read: more than any limit has."""

_UNREAD = Correlation("", "")
"""The ids of a request whose headers have not been read."""

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

    Of a request's `scope["state"]` two are for those behind: `headers`, a list to which they may add what every answer
    to this request carries, whatever it is; and `at_end`, where they may put a list of what is to be called once the
    request is over.

    Attributes:
        express: by method and path, the raw routes that are served from here, past every layer behind.
        closing: set when the service is stopping, and cuts requests that take too long.
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
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of connection pass untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = perf_counter()
        scope.setdefault("state", {})
        known_as = _UNREAD
        token = correlation.set(known_as)
        reply = _Reply(send)
        try:
            told = _read_headers(scope["headers"])
            known_as = Correlation(told.request_id.decode(), told.traceparent[3:35].decode())
            correlation.set(known_as)
            state = scope["state"]
            state["request_id"], state["traceparent"] = known_as.request_id, told.traceparent.decode()
            reply.headers = state["headers"] = self._headers(scope, told)
            _refuse_ambiguous(scope, told)
            if told.length != 0:
                receive = self._guarded(scope, receive, told.length)
            route = self.express.get((scope["method"], scope["path"]))
            if route is None:
                await self.app(scope, receive, reply.send)
            else:
                scope["endpoint"] = route.endpoint
                await route.served(scope, receive, reply.send)
        except asyncio.CancelledError:
            if reply.status or not self.closing:
                raise
            stopping = Unavailable("The service is stopping.", retry_after=1)
            await answer(scope, stopping)(scope, receive, reply.send)
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
            _end(scope)
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


def _end(scope: Scope) -> None:
    for end in scope["state"].get("at_end", ()):
        end()


class _Reply:
    """Passes the answer on with the headers that belong to it, and remembers its status (0: none yet)."""

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
            message = {**message, "headers": [*own, *ours]}  # a raw endpoint may send one message to many
        await self._send(message)
        if message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)


class _Told(NamedTuple):
    """What a request's headers say that matters here.

    Attributes:
        request_id: the caller's `X-Request-Id`, or ours.
        traceparent: the caller's, or ours.
        length: bytes of the body: 0 for no body, None for an unknown number.
        hosts: every `Host`.
        single: the names of those that may come once only, as often as they came.
    """

    request_id: bytes
    traceparent: bytes
    length: int | None
    hosts: Sequence[bytes]
    single: Sequence[bytes]


def _read_headers(headers: Iterable[Header]) -> _Told:
    """One pass over the request's headers; ids that are absent or malformed are made."""
    request_id = traceparent = None
    length: int | None = 0
    hosts: list[bytes] = []
    single: list[bytes] = []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name in _SINGLE:
            single.append(name)
        elif name == b"content-length":
            length = _length(value) if length is not None else None
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
    return _Told(request_id, traceparent, length, hosts, single)


def _length(value: bytes) -> int | None:
    """A `Content-Length`, however many noughts lead it (RFC 9110 section 8.6); None for what is no number.

    Python reads no number of more than 4300 digits; one that is longer than any limit need not be exact.
    """
    if not value.isdigit():
        return None
    if len(value) > _LONGEST_LENGTH:
        value = value.lstrip(b"0")[:_LONGEST_LENGTH] or b"0"
    return int(value)


def _refuse_ambiguous(scope: Scope, told: _Told) -> None:
    """Refuse a request that two readers could take for different ones.

    Raises:
        BadRequest: it names no host (HTTP/1.1), several hosts or what is none (RFC 9112 section 3.2), or repeats
            a header, so that one reader would take the first and another the last (RFC 9110 section 5.3).
    """
    if len(told.hosts) > 1 or (not told.hosts and scope.get("http_version") == "1.1"):
        raise BadRequest("A request names one Host.")
    if told.hosts and not _HOST.fullmatch(told.hosts[0]):
        raise BadRequest("Host is a name or an address, and a port if need be.")
    if len(set(told.single)) != len(told.single):
        raise BadRequest("Authorization, Content-Type, Idempotency-Key and Last-Event-ID may come once only.")
