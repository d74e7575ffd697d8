"""Canonical JSON (RFC 8785): equal values give equal bytes, and therefore equal hashes, on every machine."""

from contextlib import suppress
from typing import Any, Final

import msgspec
import rfc8785

_encode = msgspec.json.Encoder(order="sorted").encode

_BEYOND: Final = 2**53
"""Some JSON readers round integers from this one on."""


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of plain JSON data (dicts, lists, strings, numbers, booleans, None).

    Raises:
        rfc8785.CanonicalizationError: the value is not JSON, or contains an integer whose absolute value is 2**53 or
            more.
    """
    if _is_plain(value):
        with suppress(
            TypeError, ValueError
        ):  # a name that is not text, or text that is not Unicode: `rfc8785` raises the error
            encoded = _encode(value)
            if encoded.isascii():
                return encoded
    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    """Return whether all numbers in a value are integers; for ASCII text msgspec then writes the same bytes, faster."""
    left = [value]
    while left:  # a loop, because recursive calls would cost more than the checks
        each = left.pop()
        kind = type(each)
        if kind is str or each is None or kind is bool:
            continue
        if kind is dict:
            left += each.values()
        elif kind is list or kind is tuple:
            left += each
        elif kind is not int or not -_BEYOND < each < _BEYOND:
            return False
    return True
