"""Working days: Monday to Friday, without Indonesia's public holidays and days of joint leave."""

from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Holidays:
    """The public holidays and days of joint leave, as a deployment configures them; `day in holidays` asks for one.

    The package `holidays` supplies the days set by the government, joint leave (*cuti bersama*) included, and
    estimates the movable ones of later years; it has none before 1946 and after 2100.

    Attributes:
        added: further days, which the package does not contain.
        removed: days that the package contains although they are working days.
    """

    added: Collection[date] = frozenset()
    removed: Collection[date] = frozenset()

    def __contains__(self, day: object) -> bool:
        """Return whether a day is a public holiday or a day of joint leave."""
        if not isinstance(day, date):
            return False
        return day in self.added or (day not in self.removed and day in _of_year(day.year))


def working_days_later(day: date, count: int, holidays: Container[date] = ()) -> date:
    """Return the day that is `count` working days after `day`; for a count of 0 this is `day` itself.

    Args:
        day: the day from which to count; it is not counted.
        count: the number of working days, at least 0.
        holidays: the days from Monday to Friday that are not working days.
    """
    later = day
    while count:
        later += timedelta(days=1)
        if later.weekday() < _SATURDAY and later not in holidays:
            count -= 1
    return later


@lru_cache(maxsize=64)
def _of_year(year: int) -> frozenset[date]:
    # Imported when the first objection is recorded: most processes never need its 18 MB and 0.1 s of loading.
    from holidays.countries.indonesia import Indonesia

    return frozenset(Indonesia(years=year, categories=("government", "public")))
