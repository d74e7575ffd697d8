"""JSON in one canonical form, so that a hash of it means the same everywhere (RFC 8785)."""

from typing import Any, Final

import msgspec
import rfc8785

_encode = msgspec.json.Encoder(order="sorted").encode

_BEYOND: Final = 2**53
"""Whole numbers from here on are not exact in every JSON reader."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of plain JSON data (dicts, lists, strings, numbers, booleans, None).

    Raises:
        rfc8785.CanonicalizationError: the value is no JSON, or has an integer beyond 2**53.
    """
    return _encode(value) if _is_simple(value) else rfc8785.dumps(value)


def _is_simple(value: Any) -> bool:
    """Whether a value has ASCII text and whole numbers only: there msgspec writes the same bytes, ten times as fast."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is dict:
        return all(type(name) is str and name.isascii() and _is_simple(each) for name, each in value.items())
    if kind is list or kind is tuple:
        return all(map(_is_simple, value))
    if kind is int:
        return bool(-_BEYOND < value < _BEYOND)
    return value is None or kind is bool
