"""Opaque, prefixed ids that sort by time.

Twenty-six characters of Crockford base 32 after the prefix: 48 bits of milliseconds, 80 random bits, as in
ULID. The random part keeps them unguessable; the time part keeps an index's inserts at its end and lets a
table of checks be cut into months by its key alone.
"""

import os
from datetime import UTC, datetime

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)


def new_id(prefix: str, at: datetime) -> str:
    """A new id such as `ent_01jd…` made at the instant `at`."""
    value = (int(at.timestamp() * 1000) << 80) | int.from_bytes(os.urandom(10))
    return f"{prefix}_{_encode(value)}"


def first_id(prefix: str, at: datetime) -> str:
    """The smallest id that could be made at the instant `at`; a bound for ranges of ids."""
    return f"{prefix}_{_encode(int(at.timestamp() * 1000) << 80)}"


def made_at(identifier: str) -> datetime | None:
    """The instant in an id, in UTC with milliseconds, or None when it is not one of ours."""
    _, _, body = identifier.rpartition("_")
    if len(body) != 26 or any(c not in _DIGITS for c in body):  # noqa: PLR2004 - the length of every id
        return None
    value = 0
    for c in body[:10]:
        value = value << 5 | _DIGITS.index(c)
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _encode(value: int) -> str:
    return "".join(_PAIRS[value >> shift & 0x3FF] for shift in range(120, -1, -10))
