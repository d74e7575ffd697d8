"""JSON in one canonical form, so that a hash of it means the same everywhere (RFC 8785)."""

from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of plain JSON data (dicts, lists, strings, numbers, booleans, None).

    Raises:
        rfc8785.CanonicalizationError: the value is no JSON, or has an integer beyond 2**53.
    """
    return rfc8785.dumps(value)
