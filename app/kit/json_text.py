"""Reading JSON as RFC 7493 (I-JSON) restricts it: UTF-8, and each member of an object once.

Of two members with the same name some readers take the first, others the last. A text with both can therefore mean
one thing to the program that checks it and another to the program that acts on it (RFC 8259 section 4).
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

_HOLDING: Final = (dict, list)
_LINE_ENDS: Final = tuple((mark.encode(), b"\\u%04x" % ord(mark)) for mark in "\x85\u2028\u2029")

Path = tuple[str | int, ...]
"""Member names and array positions that lead to a value."""


class NotJson(ValueError):
    """Raised for a text that is not JSON, or not UTF-8."""


class _Repeating(dict[str, Any]):
    """A JSON object with repeated members; it contains the last value of each.

    Attributes:
        repeated: names of the repeated members.
    """

    repeated: tuple[str, ...]


def read(text: bytes) -> Any:
    """Parse a JSON text and return its value.

    Members with the same name raise no error: the value has the last of them, and `repeated_members` finds them.
    A leading byte order mark is ignored (RFC 8259 section 8.1). Lone surrogates, NaN and Infinity are accepted, though
    JSON forbids them: the caller must refuse them.

    Raises:
        NotJson: it is not JSON, or not UTF-8.
    """
    try:
        return _decode(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotJson("The text is no JSON.") from error


def repeated_members(value: Any, *, inside: bool = True) -> Iterator[Path]:
    """Yield the path of each repeated member of a value that `read` returned (RFC 7493 section 2.3).

    Args:
        value: the value, or a part of it.
        inside: whether to search nested values too.
    """
    left: list[tuple[Path, Any]] = [((), value)] if isinstance(value, _HOLDING) else []
    while left:
        at, each = left.pop()
        if isinstance(each, _Repeating):
            yield from ((*at, name) for name in each.repeated)
        if inside:
            parts = each.items() if isinstance(each, dict) else enumerate(each)
            left += [((*at, part), child) for part, child in parts if isinstance(child, _HOLDING)]


def on_one_line(text: bytes) -> bytes:
    """Escape the Unicode line ends in a JSON text, so that every reader takes it for one line.

    JSON allows unescaped U+0085, U+2028 and U+2029 in strings; many readers of event streams and of NDJSON end a line
    at these characters.
    """
    if text.isascii():
        return text
    for mark, escape in _LINE_ENDS:
        text = text.replace(mark, escape)
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeating = _Repeating(members)
    repeating.repeated = tuple(
        name for name, times in Counter(name for name, _ in pairs).items() if times > 1
    )
    return repeating


_decode: Final = json.JSONDecoder(object_pairs_hook=_object).decode
