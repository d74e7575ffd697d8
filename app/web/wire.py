"""Base classes of the JSON models, and the types of text that they accept."""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.identity.lookalikes import plain
from app.kit.clock import rfc3339

LONGEST_LINE = 300
_LINE_BREAKS = frozenset("\t\n\r")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:.*")


class WireIn(BaseModel):
    """Base of the models of request bodies; validation refuses a body with unknown members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WireOut(BaseModel):
    """Base of answer models; every member is always present."""

    model_config = ConfigDict(frozen=True)


def _controls(c: str) -> bool:
    """Return whether a character controls the display of others; a reversal could make one name look like another."""
    return c < " " or "\x7f" <= c < "\xa0" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"


def _printable(text: str) -> str:
    if not text.isprintable() and any(map(_controls, text)):
        raise PydanticCustomError("control_character", "The text holds a control character.")
    return text


def _readable(text: str) -> str:
    if not text.isprintable() and any(_controls(c) and c not in _LINE_BREAKS for c in text):
        raise PydanticCustomError("control_character", "The text holds a control character.")
    return text


def _in_latin_letters(text: str) -> str:
    if plain(text).unread:
        raise PydanticCustomError(
            "characters", "The text holds letters that are none of A to Z, and look like none."
        )
    return text


def _no_swelling(text: str) -> str:
    if not text.isascii() and len(unicodedata.normalize("NFKC", text)) > LONGEST_LINE:
        detail = f"The name has more than {LONGEST_LINE} characters once its ligatures are taken apart."
        raise PydanticCustomError("string_too_long", "{detail}", {"detail": detail})
    return text


def _day_as_text(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "A day is written YYYY-MM-DD.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "There is no such day.") from None


def _moment_as_text(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise PydanticCustomError("moment", "A time is written as in RFC 3339, with its offset.")


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A short code such as that of an agency or an office."""

PersonNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{2,39}$")]
"""A nationwide employee number (NIP, NRP)."""

Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_LINE),
    AfterValidator(_printable),
]
"""One line of text without control characters, trimmed, of 1 to `LONGEST_LINE` characters."""

Reference = Annotated[Line, AfterValidator(_in_latin_letters)]
"""The reference of a letter, a decision, a case or a flight: a line that programs compare.

Letters of other scripts are compared as the similar letters A to Z; a letter similar to none is refused.
"""

Name = Annotated[Line, AfterValidator(_no_swelling)]
"""A name: a line that does not exceed its limit when it is folded (one character can become eighteen)."""

Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), AfterValidator(_readable)
]
"""Text of one or several lines without other control characters, trimmed, of 1 to 10,000 characters."""

Day = Annotated[date, BeforeValidator(_day_as_text)]
"""A day as RFC 3339 text, not as the number of seconds that Pydantic would take as well."""

LegalDay = Annotated[
    Day,
    Field(ge=date(1900, 1, 1), le=date(9998, 12, 31)),
    WithJsonSchema({"type": "string", "format": "date"}),  # JSON Schema has no word for the bounds of a day
]
"""A day of Asia/Jakarta on which a period begins or ends; limited to days that are instants in UTC."""

_INSTANT = WithJsonSchema({"type": "string", "format": "date-time"})

Moment = Annotated[
    AwareDatetime, BeforeValidator(_moment_as_text), PlainSerializer(rfc3339, return_type=str), _INSTANT
]
"""An RFC 3339 time with an offset; answered in UTC."""

MomentText = Annotated[str, _INSTANT]
"""An RFC 3339 time as text, in the form that answers use."""


def moment(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 text in UTC, as answers have it; None for None."""
    return None if value is None else rfc3339(value)
