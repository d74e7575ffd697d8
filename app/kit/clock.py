"""Legal time: one clock for a register, the clocks of this machine, and the days of Asia/Jakarta.

Instants are aware UTC datetimes; legal days are dates in Asia/Jakarta (WIB, UTC+7, no daylight saving),
last day included (R20-R28).
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
    """The machine's time as an aware UTC datetime."""
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds since the machine's start, which nobody can set; standby counts where the system says how long it was."""
    counts_standby = getattr(system, "CLOCK_BOOTTIME", None)
    return system.monotonic() if counts_standby is None else system.clock_gettime(counts_standby)


@dataclass(frozen=True, slots=True)
class Machine:
    """The clocks of this machine.

    Attributes:
        wall: the time of day, which is set by hand and by the network.
        uptime: seconds that only pass.
    """

    wall: Clock = system_clock
    uptime: Callable[[], float] = uptime


class FileClock:
    """A clock whose time is the RFC 3339 text of a file, read at each use; for tests on loopback only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: datetime | None = None

    def __call__(self) -> datetime:
        """The instant written in the file, in UTC; the last one while the file is being written anew.

        Raises:
            ValueError: the file has never held an RFC 3339 time with an offset.
            OSError: it has never been there.
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
    """The legal day (Asia/Jakarta) of an instant."""
    return moment.astimezone(WIB).date()


def day_begins(day: date) -> datetime:
    """The first instant of a legal day, in UTC."""
    return datetime.combine(day, time.min, WIB).astimezone(UTC)


def day_ends(day: date) -> datetime:
    """The first instant after a legal day, in UTC: a period with this last day is over from here on."""
    return day_begins(day + timedelta(days=1))


@lru_cache(maxsize=256)  # one moment is written many times: in an answer, its record and its log line
def rfc3339(moment: datetime) -> str:
    """An instant as RFC 3339 in UTC with microseconds and `Z`: fixed width, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
