"""Opaque, prefixed ids that sort by time.

Twenty-six characters of Crockford base 32 after the prefix: 48 bits of milliseconds, 80 random bits, as in
ULID. The random part makes ids unguessable; the time part puts new rows at the end of an index and allows
a table of checks to be partitioned by month by its key alone.
"""

import os
from datetime import UTC, datetime
from functools import lru_cache

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGIT_OF_BYTE = _DIGITS.encode() * 8
"""Translation table from a random byte to the digit of its lowest five bits."""

_TIME_DIGITS = 10
_LENGTH = 26


def new_id(prefix: str, at: datetime) -> str:
    """Return a new id with the instant `at` in it and a prefix for the kind of object: `ent_01jd…` for "ent"."""
    random = os.urandom(_LENGTH - _TIME_DIGITS).translate(_DIGIT_OF_BYTE).decode()
    return f"{prefix}_{_time(at)}{random}"


def first_id(prefix: str, at: datetime) -> str:
    """Return the smallest id with this prefix that can be made at the instant `at`; a bound for ranges of ids."""
    return f"{prefix}_{_time(at)}{_DIGITS[0] * (_LENGTH - _TIME_DIGITS)}"


def bound_after(identifier: str) -> str:
    """Return a text that sorts after this id and before every later id.

    As the exclusive upper bound of a range of ids, it makes the range end with this id.
    """
    return identifier + _DIGITS[0]


def instant_of(identifier: str) -> datetime | None:
    """Return the instant in an id, in UTC with milliseconds; None for a text that is not an id."""
    _, _, body = identifier.rpartition("_")
    if len(body) != _LENGTH or any(c not in _DIGITS for c in body):
        return None
    value = 0
    for c in body[:_TIME_DIGITS]:
        value = value << 5 | _DIGITS.index(c)
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def number_of(identifier: str) -> int:
    """Return the 128 bits of an id as a number: its milliseconds, then its random bits.

    Raises:
        ValueError: the text has another form.
    """
    body = identifier.rpartition("_")[2]
    if len(body) != _LENGTH:
        raise ValueError(f"not an id: {identifier}")
    number = 0
    for c in body:
        number = number << 5 | _DIGITS.index(c)
    return number


@lru_cache(maxsize=64)  # the ids of a batch are made at one instant
def _time(at: datetime) -> str:
    milliseconds = int(at.timestamp() * 1000)
    return "".join(_DIGITS[milliseconds >> shift & 31] for shift in range(5 * (_TIME_DIGITS - 1), -1, -5))
