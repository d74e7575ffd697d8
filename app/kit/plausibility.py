"""The plausibility of the clocks: a clock that was set by mistake must not end a measure or erase data."""

from datetime import timedelta
from typing import Final

from app.kit.clock import Clock, Machine

TOLERANCE: Final = timedelta(seconds=60)
"""Largest accepted change of the difference between clocks; network time corrections are far smaller."""


class Plausibility:
    """Detects a wrong clock: compares this machine's wall clock with its uptime and with the register's clock.

    Setting the wall clock is detected only after this object was made. A register's clock that differs from the wall
    clock is detected at any time. Differences up to `TOLERANCE` are accepted.

    Args:
        machine: this machine's clocks.
        clock: the register's clock: the database server's clock, or this machine's wall clock.
    """

    def __init__(self, machine: Machine, clock: Clock) -> None:
        self._machine = machine
        self._clock = clock
        self._apart = timedelta()
        self._origin = self._since()

    def doubt(self) -> str | None:
        """Return why the clock may be wrong, or None while it is plausible."""
        moved = self._since() - self._origin
        if abs(moved) > TOLERANCE:
            direction = "ahead" if moved > timedelta() else "back"
            return f"this machine's clock was set {direction} by {_duration_text(moved)} while the service was running"
        apart = self._between() - self._apart
        if abs(apart) > TOLERANCE:
            direction = "ahead of" if apart > timedelta() else "behind"
            return f"the database's clock is {_duration_text(apart)} {direction} this machine's"
        return None

    def accept(self) -> None:
        """Take the present clocks as correct, so that `doubt` returns None until they diverge again."""
        self._origin = self._since()
        self._apart = self._between()

    def _since(self) -> timedelta:
        """Return the wall-clock time minus the uptime; the value is constant unless the wall clock is set."""
        return timedelta(seconds=self._machine.wall().timestamp()) - timedelta(seconds=self._machine.uptime())

    def _between(self) -> timedelta:
        return self._clock() - self._machine.wall()


def _duration_text(span: timedelta) -> str:
    return str(timedelta(seconds=round(abs(span).total_seconds())))
