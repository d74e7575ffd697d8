"""Parsing of `Accept` and `Content-Type` (RFC 9110 sections 8.3 and 12.5.1)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

Header = tuple[bytes, bytes]

JSON: Final = "application/json"
PLAIN: Final = "text/plain"

_RANGE = re.compile(r"([!#$%&'+.^_`|~0-9a-z-]+)/(\*|[!#$%&'+.^_`|~0-9a-z-]+)|\*/\*|\*")
_QUALITY = re.compile(r"0?\.[0-9]*|0|1(?:\.0*)?")


@lru_cache(maxsize=128)
def preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    """Choose the offered media type that a caller prefers.

    Each offer gets its quality (`q`) from the most specific media range of `accept` that matches it. The offer with the
    highest quality is chosen. Between equal qualities these decide, in this order: the more specific range; the range
    that comes first in `accept`; the offer that comes first in `offers`. Malformed ranges, and parameters other than
    `q`, are ignored.

    Args:
        accept: the value of `Accept`; an empty text accepts everything.
        offers: media types in lower case, without parameters.

    Returns:
        One of the offers, or None if the caller accepts none of them.
    """
    if not accept.strip():
        return offers[0]
    ranges = [found for part in accept.lower().split(",") if (found := _range(part))]
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    for offer in offers:
        kind = offer.partition("/")[0]
        exactness = {offer: 2, f"{kind}/*": 1, "*/*": 0, "*": 0}
        fitting = [
            (exactness[media], quality, -position)
            for position, (media, quality) in enumerate(ranges)
            if media in exactness
        ]
        if fitting:
            exact, quality, position = max(fitting)
            if quality > 0 and (chosen is None or (quality, exact, position) > best):
                best, chosen = (quality, exact, position), offer
    return chosen


def _range(part: str) -> tuple[str, float] | None:
    """Parse a media range and its quality. Returns None for a malformed one."""
    media, *parameters = (each.strip() for each in part.split(";"))
    if not _RANGE.fullmatch(media):
        return None
    quality = next((each[2:].strip() for each in parameters if each.startswith("q=")), "1")
    if not _QUALITY.fullmatch(quality):
        return None
    return media, float(quality) if quality != "." else 0.0


def accepted_by(headers: Iterable[Header]) -> str:
    """Return the values of all `Accept` headers, joined by commas; an empty text if there is no such header."""
    return ",".join(value.decode("latin-1") for name, value in headers if name == b"accept")


@lru_cache(maxsize=64)
def media_type(content_type: str) -> tuple[str, str | None]:
    """Return the media type of a `Content-Type` and its `charset` (None without one), both in lower case."""
    media, *parameters = (each.strip() for each in content_type.lower().split(";"))
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "charset":
            return media, value.strip().strip('"')
    return media, None
