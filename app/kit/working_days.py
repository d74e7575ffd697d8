"""Working days: Monday to Friday, without Indonesia's public holidays and days of joint leave."""

from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Holidays:
    """The days that are no working days, as a deployment knows them.

    The package `holidays` knows the days which the government has set, joint leave (*cuti bersama*) included, and
    estimates the movable ones of later years; before 1946 and after 2100 it knows none.

    Attributes:
        added: days that the package does not know, or not yet.
        removed: days that it names, and which are working days all the same.
    """

    added: Collection[date] = frozenset()
    removed: Collection[date] = frozenset()

    def __contains__(self, day: object) -> bool:
        """Whether a day is a public holiday or one of joint leave."""
        if not isinstance(day, date):
            return False
        return day in self.added or (day not in self.removed and day in _of_year(day.year))


def working_days_later(day: date, count: int, holidays: Container[date] = ()) -> date:
    """The day that lies `count` working days after a day: Monday to Friday, without public holidays."""
    later = day
    while count:
        later += timedelta(days=1)
        if later.weekday() < _SATURDAY and later not in holidays:
            count -= 1
    return later


@lru_cache(maxsize=64)
def _of_year(year: int) -> frozenset[date]:
    # Loaded when the first objection is recorded: most processes never need its 18 MB and tenth of a second.
    from holidays.countries.indonesia import Indonesia

    return frozenset(Indonesia(years=year, categories=("government", "public")))
