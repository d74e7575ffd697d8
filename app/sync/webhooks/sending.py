"""The request to an endpoint: by aiohttp, guarded at each connection, without redirects, with a limit on everything.

aiohttp is imported by the first request, so that a process without endpoints does without its memory.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from app import __version__
from app.settings import Settings
from app.sync.webhooks.addresses import AddressRefused, Guard, target_of
from app.sync.webhooks.names import look_up

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

LONGEST_ANSWER: Final = 16 * 1024
"""Bytes that are read of an answer."""

_KEEP_ALIVE_SECONDS: Final = 75.0
_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": f"Cekal/{__version__}",
    "Accept-Encoding": "identity",
}

_Key = tuple[tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one request.

    Attributes:
        status: the HTTP status of the answer; None without an answer.
        error: why there was no answer, in words; None if there was one.
        answer: the part of the answer's body that was read; empty without an answer.
        retry_after: seconds that the receiver requests to wait before the next attempt; None without a request.
        milliseconds: the duration.
    """

    status: int | None
    error: str | None
    answer: bytes
    retry_after: float | None
    milliseconds: int


def not_sent(error: str) -> Outcome:
    """Return the outcome of a request that was not sent; `error` is the reason in words."""
    return Outcome(None, error, b"", None, 0)


class Sender:
    """Posts to endpoints. It checks each IP address before it connects, and keeps connections open for reuse.

    Args:
        settings: gives the networks that the deployment allows, and the certificate with which it identifies itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[_Key, ClientSession] = {}
        self._tls: ssl.SSLContext | None = None

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def post(
        self, url: str, networks: tuple[str, ...], headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Outcome:
        """Post a body to a URL and return the result. Every failure is returned as an Outcome, never raised.

        Args:
            url: the URL.
            networks: networks in which the host's address must be; empty for any that the deployment allows.
            headers: further header fields of the request.
            body: the body of the request.
            seconds: time limit for the whole request, from the look-up of the name to the end of the answer.
        """
        begun = monotonic()
        status, error, answer, retry_after = None, None, bytearray(), None
        try:
            async with asyncio.timeout(seconds):
                plain = target_of(url).plain
                session = self._session((networks, plain))
                async with session.post(
                    _parsed(url), data=body, headers={**_HEADERS, **headers}, allow_redirects=False
                ) as response:
                    status, retry_after = response.status, _retry_after(response.headers.get("Retry-After"))
                    await _read(response, answer)
        except Exception as failure:  # noqa: BLE001 - whatever a receiver does ends its own delivery only
            error = None if status is not None else _reason(failure)
        took = round(1000 * (monotonic() - begun))
        return Outcome(status, error, bytes(answer), retry_after, took)

    def _session(self, key: _Key) -> "ClientSession":
        """Return the session for some networks, with or without TLS: connections are shared under one guard only."""
        if key not in self._sessions:
            self._sessions[key] = self._opened(key)
        return self._sessions[key]

    def _opened(self, key: _Key) -> "ClientSession":
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
        from aiohttp.abc import AbstractResolver, ResolveResult

        networks, plain = key
        allowed = tuple(ip_network(str(each)) for each in self._settings.webhook_networks)
        guard = Guard(allowed, tuple(map(ip_network, networks)), plain)

        class GuardedResolver(AbstractResolver):
            """Refuses a name that leads to an address that may not be reached, among others or not."""

            async def resolve(
                self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
            ) -> list[ResolveResult]:
                found = await look_up(host, port, family)
                guard.expect_all(address[0] for *_, address in found)
                return [
                    ResolveResult(
                        hostname=host,
                        host=address[0],
                        port=address[1],
                        family=kind,
                        proto=protocol,
                        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                    )
                    for kind, _, protocol, _, address in found
                ]

            async def close(self) -> None:
                """Do nothing: the threads are the process's."""

        connector = TCPConnector(
            limit=0,  # the dispatcher limits them
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            resolver=GuardedResolver(),
            use_dns_cache=False,  # each new connection is judged by where the name leads then
            socket_factory=_guarded_sockets(guard),  # a literal address is never resolved
            ssl=self._tls_context(),
        )
        return ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None),  # `post` has one
            auto_decompress=False,
            trust_env=False,  # no proxy that would connect in our place
        )

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            certificate = self._settings.webhook_client_certificate
            if certificate is not None:
                self._tls.load_cert_chain(certificate, self._settings.webhook_client_key)
        return self._tls


@lru_cache(maxsize=4096)
def _parsed(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)  # sent as it is written


def _guarded_sockets(guard: Guard) -> Callable[[Any], socket.socket]:
    def make(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        guard.expect(ip_address(address[0]))
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


async def _read(response: "ClientResponse", answer: bytearray) -> None:
    """Read an answer up to `LONGEST_ANSWER`; the connection of a longer one is closed."""
    while chunk := await response.content.read(LONGEST_ANSWER + 1 - len(answer)):
        answer += chunk
        if len(answer) > LONGEST_ANSWER:
            del answer[LONGEST_ANSWER:]
            response.close()
            return


def _retry_after(text: str | None) -> float | None:
    """Return the seconds that a `Retry-After` names, as a number or as a date; None for other text."""
    if text is None:
        return None
    try:
        if text.isascii() and text.isdigit():
            return float(text[:9])
        at = parsedate_to_datetime(text)
        return max(0.0, (at - datetime.now(at.tzinfo)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _reason(failure: Exception) -> str:  # noqa: PLR0911 - a sentence for each kind
    """Return in words why there was no answer; nothing that a receiver wrote."""
    from aiohttp import (
        ClientConnectorCertificateError,
        ClientConnectorDNSError,
        ClientConnectorError,
        ClientSSLError,
        InvalidURL,
        ServerDisconnectedError,
    )

    match failure:
        case AddressRefused():
            return str(failure)
        case TimeoutError():
            return "There was no answer in time."
        case InvalidURL():
            return "This is no URL."
        case ClientConnectorDNSError():
            return "The name can't be resolved."
        case ClientConnectorCertificateError():
            return "The receiver's certificate is not trusted."
        case ClientSSLError():
            return "There is no TLS with the receiver."
        case ClientConnectorError():
            return "There is no connection to the receiver."
        case ServerDisconnectedError():
            return "The receiver closed the connection without an answer."
    return f"The request failed: {type(failure).__name__}."
