"""The journey of a passenger list: places, times and legs (no I/O)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.border.manifests.edifact import Segment

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
"""Times before the first and after the last year are ignored as faulty."""

_DEPARTS: Final = frozenset({"189", "133", "136"})
_ARRIVES: Final = frozenset({"232", "132", "178"})
"""Qualifiers of a DTM for scheduled, estimated and actual times."""


_UNITED_STATES: Final = {"5": "125", "8": "87", "PT": "92"}
"""Qualifiers of a LOC in the United States' list, with those of the guide: departure, destination, intermediate
place."""


class Leg(msgspec.Struct, frozen=True):
    """A leg of a journey: from one place to the next, by one flight. Missing codes are empty, missing times are None.

    Attributes:
        flight: designator of the flight.
        origin, destination: codes of the two places.
        departs, arrives: the times, in the local time of each place. Of several times (scheduled, estimated or actual)
            the one that comes first in the passenger list counts.
    """

    flight: str
    origin: str
    departs: datetime | None
    destination: str
    arrives: datetime | None


class Stop:
    """A place of a journey in a passenger list.

    Its attributes `departs` and `arrives` are local times, None until `set_time` sets them.

    Args:
        flight: designator of the flight.
        qualifier: the qualifier of the segment LOC, such as 125, which says whether a leg begins or ends here.
        place: code of the place.
    """

    def __init__(self, flight: str, qualifier: str, place: str) -> None:
        self.flight = flight
        self.qualifier = qualifier
        self.place = place
        self.departs: datetime | None = None
        self.arrives: datetime | None = None

    @property
    def leg_edge(self) -> str | None:
        """Whether a leg `begins` or `ends` here, by the qualifier, or by which time is known.

        None if both leave this open; then the order of the places decides.
        """
        if self.qualifier == "125" or (self.departs and not self.arrives):
            return "begins"
        return "ends" if self.qualifier == "87" or (self.arrives and not self.departs) else None


def legs_of(flight: str, stops: Iterable[Stop]) -> Iterator[Leg]:
    """Yield the legs between the places of a journey, in order, each with the designator of its flight.

    A leg with only one known place has an empty code for the other. Without any place, yields one leg with two empty
    codes if `flight` is not empty.
    """
    origin: Stop | None = None
    ended = False
    for stop in _of_the_journey(list(stops)):
        edge = stop.leg_edge or ("ends" if origin is not None else "begins")
        if edge == "ends":
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


def _of_the_journey(stops: Sequence[Stop]) -> Iterator[Stop]:
    """Yield the places of the journey among all places, by the qualifiers of the guide or of the older list."""
    places = [stop for stop in stops if stop.qualifier in {"125", "87", "92"}]
    if places:
        yield from places
        return
    for stop in stops:
        stop.qualifier = _UNITED_STATES.get(stop.qualifier.lstrip("0"), stop.qualifier)
        if stop.qualifier in {"125", "87", "92"}:
            yield stop


def digits_of(segment: Segment) -> str:
    """Return the digits of the date and time in a segment DTM, without separators.

    Some senders write day and time as two components.
    """
    first, *more = segment.elements or ((),)
    components = first[1:] or (more[0] if more else ())
    value = components[0] if components else ""
    if not first[1:] and len(value) == 6 and len(more) > 1 and len(more[1][0]) == 4:  # noqa: PLR2004 - YYMMDD and HHMM
        value += more[1][0]
    if len(value) == 8 and len(components) > 2 and len(components[1]) == 4:  # noqa: PLR2004 - CCYYMMDD and HHMM
        value += components[1]
    return "".join(each for each in value if each not in " -:T")


def set_time(stop: Stop, segment: Segment) -> None:
    """Set the departure or arrival time of a place from a segment DTM, unless the place has that time already.

    A DTM that is neither a departure nor an arrival changes nothing.
    """
    qualifier, at = segment.get(0), local_time(digits_of(segment))
    if qualifier in _DEPARTS:
        stop.departs = stop.departs or at
    elif qualifier in _ARRIVES:
        stop.arrives = stop.arrives or at


def local_time(digits: str) -> datetime | None:
    """Return the local time that the digits of a DTM mean; None if they are not a time between 1970 and 2199.

    The format (101, 102, 201, 203 or 204) is recognised by the number of digits; digits after the 14th are ignored.
    """
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
