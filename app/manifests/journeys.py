"""The journey of a passenger list: its places and times, and the legs that they make; pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from app.manifests.edifact import Segment

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
"""What lies outside of these years is no time of a flight."""

_DEPARTS: Final = frozenset({"189", "133", "136"})
_ARRIVES: Final = frozenset({"232", "132", "178"})
"""Qualifiers of a DTM: scheduled, estimated and actual times."""


class Leg(msgspec.Struct, frozen=True):
    """A stretch of the journey.

    Attributes:
        departs: scheduled, in the local time of the place, as the guide has it.
        arrives: the same.
    """

    flight: str
    origin: str
    departs: datetime | None
    destination: str
    arrives: datetime | None


class Stop:
    """A place of the journey, with what is told of its times."""

    def __init__(self, flight: str, qualifier: str, place: str) -> None:
        self.flight = flight
        self.qualifier = qualifier
        self.place = place
        self.departs: datetime | None = None
        self.arrives: datetime | None = None

    @property
    def end(self) -> str | None:
        """Whether a leg `begins` or `ends` here; None where only the order can tell."""
        if self.qualifier == "125" or (self.departs and not self.arrives):
            return "begins"
        return "ends" if self.qualifier == "87" or (self.arrives and not self.departs) else None


def legs_of(flight: str, stops: Iterable[Stop]) -> Iterator[Leg]:
    """The legs that the places make, in order: from where one begins to where it ends."""
    origin: Stop | None = None
    ended = False
    for stop in stops:
        if stop.qualifier not in {"125", "87", "92"}:
            continue
        end = stop.end or ("ends" if origin is not None else "begins")
        if end == "ends":
            begun = origin
            yield Leg(
                stop.flight,
                begun.place if begun else "",
                begun.departs if begun else None,
                stop.place,
                stop.arrives,
            )
            origin, ended = (None if stop.qualifier == "87" or stop.departs is None else stop), True
        else:
            origin = stop
    if origin is not None and not ended:
        yield Leg(origin.flight, origin.place, origin.departs, "", None)
    elif origin is None and not ended and flight:
        yield Leg(flight, "", None, "", None)


def digits_of(segment: Segment) -> str:
    """The value of a DTM, whatever separates its parts: some senders write day and time as two components."""
    first, *more = segment.elements or ((),)
    components = first[1:] or (more[0] if more else ())
    value = components[0] if components else ""
    if len(value) == 8 and len(components) > 2 and len(components[1]) == 4:  # noqa: PLR2004 - CCYYMMDD and HHMM
        value += components[1]
    return "".join(each for each in value if each not in " -:T")


def tell_time(stop: Stop, segment: Segment) -> None:
    """Take what a DTM tells of a place: when it is left, or reached."""
    qualifier, at = segment.get(0), local_time(digits_of(segment))
    if qualifier in _DEPARTS:
        stop.departs = stop.departs or at
    elif qualifier in _ARRIVES:
        stop.arrives = stop.arrives or at


def local_time(digits: str) -> datetime | None:
    """A time as DTM formats 101, 102, 201, 203 and 204 write it, told by its length; None for no time."""
    form = {6: "%y%m%d", 8: "%Y%m%d", 10: "%y%m%d%H%M", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(
        len(digits[:14])
    )
    if form is None or not (digits.isascii() and digits[:14].isdigit()):
        return None
    try:
        time = datetime.strptime(digits[:14], form)  # noqa: DTZ007 - the time of a place whose zone the list does not name
    except ValueError:
        return None
    return time if FIRST_YEAR <= time.year <= LAST_YEAR else None
