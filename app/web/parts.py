"""Answers with a whole representation, a byte range of it, or 304 (RFC 9110 sections 13 and 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from starlette.responses import Response

from app.web.etag import IfNoneMatch, not_modified
from app.web.methods import is_head
from app.web.problems import problem_response

_RANGE = re.compile(r"bytes=\s*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))\s*", re.IGNORECASE)
_BYTES: Final = {"accept-ranges": "bytes"}


class Unsatisfiable(ValueError):
    """Raised if the requested range contains no byte of the representation; it is answered with 416."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional and range headers of a request.

    Attributes:
        if_none_match: the tags of the representations that the caller has.
        range_header: the value of `Range`; None requests the whole.
        if_range: `Range` applies only to the representation with this tag; None applies it to any.
    """

    if_none_match: str | None
    range_header: str | None
    if_range: str | None

    @classmethod
    def of(cls, request: Request) -> "Conditions":
        """Read the conditions from a request's headers; a HEAD ignores `Range`."""
        told = request.headers
        range_header = None if is_head(request.scope) else told.get("range")
        return cls(told.get("if-none-match"), range_header, told.get("if-range"))

    def answer(self, body: bytes, media_type: str, etag: str, headers: Mapping[str, str]) -> Response:
        """Return the answer with a representation: whole, the requested part (206), nothing (304), or a refusal (416).

        Args:
            body: the representation.
            media_type: its media type.
            etag: its strong tag.
            headers: further headers of the answer.
        """
        chosen = self.choose(len(body), etag, headers)
        if isinstance(chosen, Response):
            return chosen
        return Response(body[chosen.part.start : chosen.part.stop], chosen.status, chosen.headers, media_type)

    def choose(self, length: int, etag: str, headers: Mapping[str, str]) -> "Chosen | Response":
        """Return which bytes of a representation to send, all or a part; or the finished answer if none are (304, 416).

        Args:
            length: the representation's number of bytes.
            etag: its strong tag.
            headers: further headers of the answer.
        """
        same = not_modified(self.if_none_match, etag)
        if same is not None:
            same.headers.update(headers)
            return same
        carried = {**headers, **_BYTES, "etag": etag}
        whole = Chosen(range(length), 200, carried)
        if self.range_header is None or (self.if_range is not None and self.if_range.strip() != etag):
            return whole
        try:
            part = part_of(self.range_header, length)
        except Unsatisfiable:
            told = {**_BYTES, "content-range": f"bytes */{length}"}
            return problem_response("range-not-satisfiable", headers=told)
        if part is None:
            return whole
        carried["content-range"] = f"bytes {part.start}-{part.stop - 1}/{length}"
        return Chosen(part, 206, carried)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an answer sends: the range of bytes of the representation, the status (200, 206), and the headers."""

    part: range
    status: int
    headers: Mapping[str, str]


def part_of(range_header: str, length: int) -> range | None:
    """Return the range of bytes that a `Range` header requests.

    Args:
        range_header: the header's value.
        length: number of bytes of the representation.

    Returns:
        The range, or None for a malformed value or several ranges, which are answered with the whole.

    Raises:
        Unsatisfiable: the range begins after the end, or is empty.
    """
    found = _RANGE.fullmatch(range_header)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        part = range(max(length - int(suffix), 0), length)
    elif last and int(last) < int(first):
        return None
    else:
        part = range(int(first), min(int(last) + 1, length) if last else length)
    if not part:
        raise Unsatisfiable
    return part


async def _conditions(
    request: Request,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - here to be documented, as the two below
    range_header: Annotated[  # noqa: ARG001
        str | None,
        Header(
            alias="Range",
            description="The requested part, as `bytes=0-1023`; several parts at once get the whole.",
            examples=["bytes=0-1023"],
        ),
    ] = None,
    if_range: Annotated[  # noqa: ARG001
        str | None,
        Header(
            description="The ETag of the representation that the caller has in part; another one is sent whole."
        ),
    ] = None,
) -> Conditions:
    return Conditions.of(request)


WantedPart = Annotated[Conditions, Depends(_conditions)]
"""A route's parameter: `If-None-Match`, `Range` and `If-Range`; see `Conditions.answer`."""
