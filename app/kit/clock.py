"""Time: the type of a register's clock, the clocks of this machine, and legal days in Asia/Jakarta.

Instants are aware UTC datetimes. Legal days are dates in Asia/Jakarta (WIB, UTC+7, no daylight saving). A period of
legal days includes its last day (R20-R28).
"""

import time as system
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from pathlib import Path

WIB = timezone(timedelta(hours=7), "WIB")

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the machine's wall-clock time as an aware UTC datetime."""
    return datetime.now(UTC)


def uptime() -> float:
    """Return the seconds since the machine started, from a clock that cannot be set.

    Time in standby counts too where the system has a clock for it (`CLOCK_BOOTTIME`).
    """
    counts_standby = getattr(system, "CLOCK_BOOTTIME", None)
    return system.monotonic() if counts_standby is None else system.clock_gettime(counts_standby)


@dataclass(frozen=True, slots=True)
class Machine:
    """The clocks of this machine.

    Attributes:
        wall: the time of day; a person or a network time service can set it.
        uptime: seconds since the machine started; they never go back.
    """

    wall: Clock = system_clock
    uptime: Callable[[], float] = uptime


class FileClock:
    """A clock for tests, on loopback only: each call reads the time, RFC 3339 text with an offset, from a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: datetime | None = None

    def __call__(self) -> datetime:
        """Return the instant in the file, in UTC. While the file can't be read, return the last instant read from it.

        Raises:
            ValueError: the file has never held an RFC 3339 time with an offset.
            OSError: the file could never be read.
        """
        try:
            self._last = self._read()
        except (ValueError, OSError):
            if self._last is None:
                raise
        return self._last

    def _read(self) -> datetime:
        moment = datetime.fromisoformat(self.path.read_text(encoding="utf-8").strip())
        if moment.tzinfo is None:
            raise ValueError("the test clock's file must hold a time with an offset")
        return moment.astimezone(UTC)


def legal_day(moment: datetime) -> date:
    """Return the legal day (Asia/Jakarta) of an instant."""
    return moment.astimezone(WIB).date()


def day_begins(day: date) -> datetime:
    """Return the instant, in UTC, at which a legal day (Asia/Jakarta) begins."""
    return datetime.combine(day, time.min, WIB).astimezone(UTC)


def day_ends(day: date) -> datetime:
    """Return the first instant after a legal day, in UTC: a period with this last day is over from then on."""
    return day_begins(day + timedelta(days=1))


@lru_cache(maxsize=256)  # one moment is written many times: in an answer, its record and its log line
def rfc3339(moment: datetime) -> str:
    """Format an instant as RFC 3339 in UTC with microseconds and `Z`; the fixed width makes text order time order."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
