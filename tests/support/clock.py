"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Interval, func, literal, select

from app.db import clock
from app.kit.clock import Machine, system_clock

MORNING = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""Monday 23 November 2026, ten o'clock in Jakarta: when every test begins."""


class SettableClock:
    """Stands still until it is moved; takes the place of the process's clock."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """The time that it was set to, in UTC."""
        return self.at

    def set(self, at: datetime | str) -> datetime:
        """Set the clock to an aware time, or to an RFC 3339 text; gives the new time.

        Raises:
            ValueError: the time has no offset.
        """
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        if moment.tzinfo is None:
            raise ValueError("a clock is set to a time with an offset")
        self.at = moment.astimezone(UTC)
        return self.at

    def advance(self, by: timedelta | None = None, /, **parts: float) -> datetime:
        """Move the clock on: `advance(days=20)`, `advance(timedelta(hours=1))`; gives the new time."""
        self.at += (by or timedelta()) + timedelta(**parts)
        return self.at


class SettableMachine:
    """The clocks of a machine whose time of day a test sets: real, and so far `ahead`."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    @property
    def clocks(self) -> Machine:
        """What a process takes for its machine's clocks."""
        return Machine(wall=lambda: system_clock() + self.ahead)


class SettableServer:
    """The clock of the PostgreSQL server, as processes read it: real, and so far ahead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ahead: timedelta = timedelta()) -> None:
        self._patch = monkeypatch
        self.set_ahead(ahead)

    def set_ahead(self, ahead: timedelta) -> None:
        """Set it, from the next reading on."""
        self.time = select(func.clock_timestamp() + literal(ahead, Interval))
        self._patch.setattr(clock, "_NOW", self.time)
