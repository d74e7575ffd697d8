"""Gzip compression of answers, for callers that accept it: large enough answers to reads, and never a secret.

The length of a compressed answer can leak its content despite encryption (CRIME, BREACH). Two measures limit this:
only answers to GET, which do not repeat the request, are compressed, and each gets a padding whose length only this
process can compute.
"""

import asyncio
import os
import re
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from starlette.types import Message, Scope, Send

Header = tuple[bytes, bytes]

SMALLEST: Final = 1024
"""Smallest body, in bytes, that is compressed; for a smaller one the gain is less than a packet."""

_ASIDE: Final = 32_768
"""Body size, in bytes, from which a thread compresses: it takes a millisecond, which would delay alerts."""
_LEVEL: Final = 5
_KEPT: Final = 8
"""Number of compressed public answers in the cache."""

_WORTH_IT: Final = re.compile(
    rb"(?:text/(?!event-stream)|application/(?:json|edifact|javascript)\b|image/svg)"
)
_HEAD: Final = b"\x1f\x8b\x08\x10\x00\x00\x00\x00\x00\xff"
"""A gzip header that announces a comment; the comment is the padding (RFC 1952 section 2.3)."""
_PADDING: Final = 64
_KEY: Final = os.urandom(32)
_SUFFIX: Final = b'-gzip"'
_VARY: Final[Header] = (b"vary", b"accept-encoding")
_QUALITY: Final = re.compile(r"q=(?:0?\.[0-9]*|0|1(?:\.0*)?)")


def compressed(body: bytes) -> bytes:
    """Return a body compressed by gzip, with a padding whose length only this process can compute.

    Equal bodies get equal paddings: otherwise an average over repeated answers would reveal the true length.
    """
    padding = blake2b(body, digest_size=1, key=_KEY).digest()[0] % _PADDING
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = (deflate.compress(body), deflate.flush())
    tail = struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return b"".join((_HEAD, b"-" * padding, b"\x00", *parts, tail))


@lru_cache(maxsize=64)
def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the value of `Accept-Encoding` allows gzip (RFC 9110 section 12.5.3).

    If the value does not mention gzip, the quality of `*` counts. If it mentions neither, gzip is not allowed.
    """
    found: dict[str, bool] = {}
    for part in accept_encoding.lower().split(","):
        coding, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each for each in parameters if each.startswith("q=")), "q=1")
        is_accepted = bool(_QUALITY.fullmatch(quality)) and any(digit in quality for digit in "123456789")
        found.setdefault("gzip" if coding == "x-gzip" else coding, is_accepted)
    return found.get("gzip", found.get("*", False))


class Coding:
    """Compresses answers, with a cache of public ones; one per application."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    def applied(self, scope: Scope, send: Send) -> tuple[Scope, Send]:
        """Return the scope and the `send` to give to the application, so that its answer can be compressed.

        The answer is compressed if the request accepts gzip and the answer is a complete, textual 200 of at least
        `SMALLEST` bytes that is not marked as secret. A compressed answer has an `ETag` of its own: the application's
        tag with a suffix. In the returned scope, the tags in `If-None-Match` have no such suffix.
        """
        accepted, held = [], False
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted.append(value.decode("latin-1"))
            elif name == b"if-none-match" and _SUFFIX in value:
                held = True
        gzip = bool(accepted) and accepts_gzip(",".join(accepted))
        answer = _Answer(self, scope, send, accepted=gzip)
        if gzip and held:  # the application's tags have no suffix for gzip
            scope = {**scope, "headers": [_without_suffix(header) for header in scope["headers"]]}
        return scope, answer.send

    async def compress(self, path: str, headers: Iterable[Header], body: bytes) -> bytes:
        """Return the compressed body of an answer.

        If its headers have an `ETag` and `Cache-Control: public`, the compressed body is taken from a cache or stored.

        Args:
            path: the request's path; path and `ETag` identify the body in the cache.
            headers: the answer's headers.
            body: the answer's body before compression.
        """
        named = dict(headers)
        tag = named.get(b"etag")
        if tag is None or b"public" not in named.get(b"cache-control", b""):
            return await _beside(body)
        if (path, tag) not in self._kept:
            self._kept[path, tag] = await _beside(body)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[path, tag]


class _Answer:
    """The sender of one answer: compresses it if its headers and size allow, and otherwise passes it on unchanged."""

    def __init__(self, coding: Coding, scope: Scope, send: Send, *, accepted: bool) -> None:
        self._coding = coding
        self._scope = scope
        self._send = send
        self._accepted = accepted
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Send one ASGI message; the head of an answer that may be compressed waits for the first body message."""
        if message["type"] == "http.response.start":
            if message["status"] == 304:  # noqa: PLR2004 - Not Modified
                await self._send({**message, "headers": [*map(self._held_tag, message["headers"]), _VARY]})
            elif self._may_be_compressed(message):
                self._start = {**message, "headers": [*message["headers"], _VARY]}
            else:
                await self._send(message)
            return
        start, self._start = self._start, None
        if start is not None:
            body = message.get("body", b"")
            if self._accepted and not message.get("more_body", False) and len(body) >= SMALLEST:
                body = await self._coding.compress(self._scope["path"], start["headers"], body)
                start = {**start, "headers": list(_of_compressed(start["headers"], len(body)))}
                message = {**message, "body": body}
            await self._send(start)
        await self._send(message)

    def _may_be_compressed(self, start: Message) -> bool:
        if start["status"] != 200 or self._scope["state"].get("secret"):  # noqa: PLR2004 - OK; a part never is
            return False
        named = dict[bytes, Any](start["headers"])
        return b"content-encoding" not in named and bool(_WORTH_IT.match(named.get(b"content-type", b"")))

    def _held_tag(self, header: Header) -> Header:
        """Return the tag of a 304 in the form that the caller sent."""
        name, tag = header
        if name != b"etag":
            return header
        coded = tag[:-1] + _SUFFIX
        held = any(each == b"if-none-match" and coded in value for each, value in self._scope["headers"])
        return (name, coded) if self._accepted and held else header


def _of_compressed(headers: Iterable[Header], length: int) -> Iterable[Header]:
    for name, value in headers:
        if name == b"content-length":
            yield name, b"%d" % length
        elif name == b"etag":
            yield name, value[:-1] + _SUFFIX
        elif name != b"accept-ranges":  # ranges apply to the uncompressed answer
            yield name, value
    yield b"content-encoding", b"gzip"


def _without_suffix(header: Header) -> Header:
    name, value = header
    return (name, value.replace(_SUFFIX, b'"')) if name == b"if-none-match" else header


async def _beside(body: bytes) -> bytes:
    return compressed(body) if len(body) < _ASIDE else await asyncio.to_thread(compressed, body)
