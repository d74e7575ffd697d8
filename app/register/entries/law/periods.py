"""The law's periods, in legal days of Asia/Jakarta, last day included (no I/O; R20-R28)."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from app.kit.clock import WIB, day_begins, day_ends, legal_day

MonthConvention = Literal["same_day", "day_before"]

PREVENTION_MONTHS = 6
"""Longest exit ban, and longest extension of one (UU 6/2011 art. 97(1))."""

DETERRENCE_MONTHS = 120
"""Longest entry ban, and longest extension of one: ten years (UU 6/2011 art. 102(1) as of UU 63/2024)."""

URGENT_DAYS = 20
"""Length of an urgent entry in calendar days, first and last included (Permenimipas 13/2025 art. 9(5), 11)."""

EXTENSIONS = 1
"""Maximum number of extensions of a measure (UU 6/2011 art. 97(1), 102(1); MK 64/PUU-IX/2011)."""

REFUSAL_DAYS = 7
"""Legal days after receipt in which an incomplete request is refused (UU 6/2011 art. 94(6); R18)."""

LAST_SECOND = timedelta(seconds=1)
"""Length of the last second of a term, which is still in time."""

NOTE_WINDOW = timedelta(hours=3)
"""Time after the beginning and before the end of a period in which an answer has a note (R28)."""


class Receipt(msgspec.Struct, frozen=True):
    """The times of receipt of a request that reached the register more than once.

    Such a request was returned and resubmitted, or is a formal request with the letter of its urgent entry.

    Attributes:
        first_at: when it was first received; the age of its letter is measured at that time (R14).
        counted_on: the legal day of its last receipt, from which the seven days for a refusal count (R18).
    """

    first_at: datetime
    counted_on: date


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, limited to the end of the month: 31 Aug 2025 + 6 = 28 Feb 2026 (R20)."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day_allowed(starts_on: date, months: int, convention: MonthConvention = "same_day") -> date:
    """Return the latest last day of a period of at most `months` (R20, R21, R24).

    Args:
        starts_on: the first day.
        months: the maximum length by law.
        convention: `same_day` as practised (7 Sep -> 7 Mar), or the strict `day_before` (6 Mar).

    Raises:
        ValueError: the period would end after the year 9999.
    """
    last = add_months(starts_on, months)
    # An end limited to the end of the month is already earlier than the same day: one day less would make the
    # period shorter than the law allows.
    if convention == "day_before" and last.day == starts_on.day:
        return last - timedelta(days=1)
    return last


def urgent_start(requested_at: datetime, received_at: datetime) -> date:
    """Return the first day of an urgent entry: the legal day of the earlier of the two times (R25)."""
    return legal_day(min(requested_at, received_at))


def urgent_end(starts_on: date) -> date:
    """Return the last day of an urgent entry: the twentieth, counting the first (R25: 23 Aug -> 11 Sep)."""
    return starts_on + timedelta(days=URGENT_DAYS - 1)


def begins_at(starts_on: date) -> datetime:
    """Return the first instant of a period, in UTC: 00:00 WIB of its first day (R27)."""
    return day_begins(starts_on)


def over_at(ends_on: date) -> datetime:
    """Return the first instant after a period, in UTC: 24:00 WIB of its last day (R27)."""
    return day_ends(ends_on)


def last_second(day: date) -> datetime:
    """Return 23:59:59 WIB of a legal day in UTC: the last moment that still meets a term in days (R23)."""
    return day_ends(day) - LAST_SECOND


def overlap(starts_on: date, ends_on: date | None, other_start: date, other_end: date | None) -> bool:
    """Return whether two periods, each with its first and last day, share a day; None as a last day means lifetime."""
    return (ends_on is None or other_start <= ends_on) and (other_end is None or starts_on <= other_end)


def boundary_note(now: datetime, begins: datetime | None, over: datetime | None) -> str | None:
    """Return a note for the officer at the counter that a measure has just begun or is about to end.

    None outside the first and last three hours of the measure's period. The note never changes the outcome of a check
    (R28).

    Args:
        now: the instant of the check.
        begins: the first instant of the period; None if it is not known.
        over: the first instant after the period; None if it has no end.
    """
    if begins is not None and timedelta(0) <= now - begins < NOTE_WINDOW:
        return f"The measure began at {begins.astimezone(WIB).isoformat(timespec='minutes')} (WIB)."
    if over is not None and timedelta(0) < over - now <= NOTE_WINDOW:
        return f"The measure ends at {over.astimezone(WIB).isoformat(timespec='minutes')} (WIB)."
    return None
