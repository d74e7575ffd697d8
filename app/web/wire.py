"""Base of the wire's models, and the texts that they accept."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.clock import rfc3339

_LINE_BREAKS = frozenset("\t\n\r")


class WireIn(BaseModel):
    """What a request holds: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WireOut(BaseModel):
    """What an answer holds: every member is always present."""

    model_config = ConfigDict(frozen=True)


def _printable(text: str) -> str:
    if any(c < " " or "\x7f" <= c < "\xa0" for c in text):
        raise PydanticCustomError("control_character", "The text holds a control character.")
    return text


def _readable(text: str) -> str:
    if any((c < " " and c not in _LINE_BREAKS) or "\x7f" <= c < "\xa0" for c in text):
        raise PydanticCustomError("control_character", "The text holds a control character.")
    return text


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A short code such as that of an agency or an office."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_printable)
]
"""One line of text without control characters."""

Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), AfterValidator(_readable)
]
"""Text of several lines without other control characters."""

Moment = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str)]
"""An RFC 3339 time with an offset; answered in UTC."""


def moment(value: datetime | None) -> str | None:
    """An instant as it is answered."""
    return None if value is None else rfc3339(value)
