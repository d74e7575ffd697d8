"""Birth dates with the precision in which they were given.

A list often contains less than a day: a year, a month, an age on some day, a span of years. By rule R17 such
statements are stored as given and never made more precise ("1970" is not 1970-01-01), so comparisons use
the span of days that a statement allows.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Mapping
from datetime import MINYEAR, timedelta
from datetime import date as Day  # noqa: N812 - `date` is a member of Birth, fixed by the API
from typing import Any, Final, Literal

import msgspec

Agreement = Literal["equal", "compatible", "contradicts", "unknown"]
"""The result of comparing a listed person's birth with a traveller's (`agreement`)."""

OLDEST_AGE: Final = 150
"""Highest accepted age in years; no person has lived longer, so a higher age is a typing error."""

_RANK: Final[dict[Agreement, int]] = {"equal": 3, "compatible": 2, "contradicts": 1, "unknown": 0}
_FULL_DAY: Final = len("YYYY-MM-DD")
_ONE_DAY: Final = timedelta(days=1)
_YEAR_OR_MONTH: Final = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?").fullmatch
_SHAPES: Final = {("date",), ("age", "as_of"), ("from_", "to")}


class BirthUnreadable(ValueError):
    """Raised if a statement about a birth is neither a date, an age on a day nor a range, or if it can't be true.

    The message never repeats the given value, since it may appear in a problem document or a log.
    """


class Birth(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """A statement about a birth date, in exactly one of the API's three shapes.

    `date` alone; `age` with `as_of`; `from_` with `to`. Dates are "YYYY", "YYYY-MM" or "YYYY-MM-DD" (`as_of`
    always a full day), `age` is in completed years. Hashable; two statements are equal if all their fields are
    equal. msgspec encodes it in the API's JSON shape, `{"from": "1968", "to": "1970"}`.

    Raises:
        BirthUnreadable: at construction, for any other combination or an impossible day, order or age.
    """

    date: str | None = None
    age: int | None = None
    as_of: str | None = None
    from_: str | None = None
    to: str | None = None

    def __post_init__(self) -> None:
        """Raise BirthUnreadable for an invalid statement, so that every `Birth` has a span."""
        given = tuple(member for member in self.__struct_fields__ if getattr(self, member) is not None)
        if given not in _SHAPES:
            raise BirthUnreadable("A birth is either `date`, or `age` with `as_of`, or `from` with `to`.")
        first, last = span(self)
        if first > last:
            raise BirthUnreadable("The span begins after its end (`from` after `to`).")


def birth_from_json(shape: Mapping[str, Any]) -> Birth:
    """Return the birth in a JSON object of one of the API's shapes (see `Birth`); members that are null are ignored.

    Raises:
        BirthUnreadable: for an unknown or missing member, a wrong type, or an impossible day, order or age.
    """
    given = {member: value for member, value in shape.items() if value is not None}
    try:
        return msgspec.convert(given, Birth)
    except msgspec.ValidationError as fault:
        if isinstance(fault.__cause__, BirthUnreadable):
            raise fault.__cause__ from None
        raise BirthUnreadable(f"The birth can't be read: {fault}.") from None


def birth_to_json(birth: Birth) -> dict[str, str | int]:
    """Return the birth in the API's JSON shape, as it was given."""
    if birth.date is not None:
        return {"date": birth.date}
    if birth.age is not None and birth.as_of is not None:
        return {"age": birth.age, "as_of": birth.as_of}
    return {"from": birth.from_ or "", "to": birth.to or ""}


def span(birth: Birth) -> tuple[Day, Day]:
    """Return the first and the last day on which the person can have been born, both included.

    Age 45 on 2026-11-23 is 1980-11-24 to 1981-11-23. A person born on 29 February completes a year on
    1 March of a common year.
    """
    if birth.date is not None:
        return _days_of(birth.date)
    if birth.age is not None:
        return _days_of_age(birth.age, birth.as_of or "")
    return _days_of(birth.from_ or "")[0], _days_of(birth.to or "")[1]


def is_full_day(birth: Birth) -> bool:
    """Return whether the birth is known to the day."""
    return birth.date is not None and len(birth.date) == _FULL_DAY


def compatible(one: Birth, other: Birth) -> bool:
    """Return whether both statements about a birth can be true of one person: a day exists that satisfies both."""
    if one.date is not None and one.date == other.date:
        return True
    first, last = span(one)
    other_first, other_last = span(other)
    return first <= other_last and other_first <= last


def agreement(listed: Birth | None, queried: Birth | None) -> Agreement:
    """Return how the birth in an entry (`listed`) and the birth in a check (`queried`) agree.

    `equal` if both are the same full day; `compatible` if the spans overlap; `contradicts` if they don't; `unknown` if
    either side has no birth.
    """
    if listed is None or queried is None:
        return "unknown"
    if not compatible(listed, queried):
        return "contradicts"
    return "equal" if is_full_day(listed) and is_full_day(queried) else "compatible"


def best_agreement(listed: Iterable[Birth], queried: Birth | None) -> Agreement:
    """Return the best result of `agreement` between the births of an entry and the birth in a check.

    `equal` is better than `compatible`, `compatible` better than `contradicts`; `unknown` only if a birth is missing.
    """
    best: Agreement = "unknown"
    for birth in listed:
        found = agreement(birth, queried)
        if _RANK[found] > _RANK[best]:
            best = found
    return best


def closest(found: Iterable[Agreement]) -> Agreement:
    """Return the best of several results of `agreement`, in the order of `best_agreement`; `unknown` for none."""
    return max(found, key=_RANK.__getitem__, default="unknown")


def age_on(birth: Birth, day: Day) -> tuple[int, int]:
    """Return the lowest and the highest age in completed years that the person can have on `day`.

    An age is negative if the statement allows a birth after that day. `age_on(birth, day)[0] < 18` means "may be
    under 18".
    """
    first, last = span(birth)
    return _years_between(last, day), _years_between(first, day)


def _days_of(text: str) -> tuple[Day, Day]:
    """Return the first and the last day of a "YYYY", "YYYY-MM" or "YYYY-MM-DD"."""
    try:
        # The positions of the hyphens are checked first: fromisoformat would also take the week date "2026-W01-1".
        if len(text) == _FULL_DAY and text[4] == text[7] == "-":
            day = Day.fromisoformat(text)
            return day, day
        if _YEAR_OR_MONTH(text):
            year, month = int(text[:4]), int(text[5:] or 0)
            first = Day(year, month or 1, 1)
            return first, Day(year, month or 12, monthrange(year, month or 12)[1])
    except ValueError:
        pass
    raise BirthUnreadable("Not a day, month or year that exists, written as YYYY, YYYY-MM or YYYY-MM-DD.")


def _days_of_age(age: int, as_of: str) -> tuple[Day, Day]:
    """Return the first and the last possible day of birth of a person of this age on the day `as_of`."""
    if not 0 <= age <= OLDEST_AGE:
        raise BirthUnreadable(f"An age is between 0 and {OLDEST_AGE} years.")
    day, until = _days_of(as_of)
    if day != until:
        raise BirthUnreadable("An age needs the very day on which it was true (`as_of`).")
    if day.year - age - 1 < MINYEAR:
        raise BirthUnreadable("The age reaches back beyond the calendar.")
    return _years_before(day, age + 1) + _ONE_DAY, _years_before(day, age)


def _years_before(day: Day, years: int) -> Day:
    """Return the day a number of years earlier; 29 February becomes 28 February in a common year."""
    if day.month == 2 and day.day == 29 and not isleap(day.year - years):  # noqa: PLR2004 - 29 February
        return Day(day.year - years, 2, 28)
    return day.replace(year=day.year - years)


def _years_between(born: Day, day: Day) -> int:
    """Return the number of completed years from a birth to a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
