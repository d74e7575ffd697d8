"""The example bodies in the OpenAPI document, from `examples.json`, by the name of the operation.

The law counts days: for example, a letter must not be older than thirty days (R14). The examples are written for one
Monday. The served document moves them to the present day, so that they are not refused for their age; the committed
document keeps that Monday.
"""

import re
from datetime import date
from importlib.resources import files
from typing import Any, Final

import msgspec

Json = dict[str, Any]

WRITTEN_FOR: Final = date(2026, 11, 23)
"""The legal day on which the examples are valid as they are written."""

_MOVED_UNTIL: Final = date(2028, 1, 1)
_MOVED_FROM: Final = date(2026, 11, 1)
_DAY: Final = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


def examples(today: date | None = None) -> dict[str, Json]:
    """Return the example bodies by operation and name, each with its `summary` and `value`.

    Args:
        today: the legal day for which the examples shall be valid: each day in them is moved by the days between
            `WRITTEN_FOR` and `today`. Births, and days from 2028 on, are not moved. None moves nothing.
    """
    moved = (today or WRITTEN_FOR) - WRITTEN_FOR

    def moved_day(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[0])
        return str(day + moved) if _MOVED_FROM <= day < _MOVED_UNTIL else found[0]

    text = (files(__package__) / "examples.json").read_text(encoding="utf-8")
    known: dict[str, Json] = msgspec.json.decode(_DAY.sub(moved_day, text) if moved else text)
    return known


NULL: Final = "\0null"
"""A null in an example of an answer: FastAPI leaves out each member that is None, also where it is required."""


def with_nulls(value: Any) -> Any:
    """Return a copy of a part of the OpenAPI document in which None replaces each text `NULL`, at every depth."""
    if isinstance(value, dict):
        return {name: with_nulls(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_nulls(each) for each in value]
    return None if value == NULL else value
