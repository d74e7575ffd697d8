"""Whether a clock may be believed: an hour that was set by mistake must end no measure, and erase nothing."""

from datetime import timedelta
from typing import Final

from app.kit.clock import Clock, Machine

TOLERANCE: Final = timedelta(seconds=60)
"""How far the clocks may come apart: what the network corrects in small steps stays well below."""


class Plausibility:
    """Compares the time of day with the time that has passed since the start, and with the register's own clock.

    How long the service did not run is no matter: only clocks that disagree while it runs are doubted.

    Args:
        machine: this machine's clocks.
        clock: the register's: the database server's, or this machine's wall clock itself.
    """

    def __init__(self, machine: Machine, clock: Clock) -> None:
        self._machine = machine
        self._clock = clock
        self._apart = timedelta()
        self._origin = self._since()

    def doubt(self) -> str | None:
        """Why the clock may be wrong; None while it is plausible."""
        moved = self._since() - self._origin
        if abs(moved) > TOLERANCE:
            way = "ahead" if moved > timedelta() else "back"
            return f"this machine's clock was set {way} by {_told(moved)} while the service was running"
        apart = self._between() - self._apart
        if abs(apart) > TOLERANCE:
            way = "ahead of" if apart > timedelta() else "behind"
            return f"the database's clock is {_told(apart)} {way} this machine's"
        return None

    def accept(self) -> None:
        """Believe the clocks as they are: from now on they are doubted when they move against each other again."""
        self._origin = self._since()
        self._apart = self._between()

    def _since(self) -> timedelta:
        """The time of day less the time that has passed: the same at all times, unless the clock is set."""
        return timedelta(seconds=self._machine.wall().timestamp()) - timedelta(seconds=self._machine.uptime())

    def _between(self) -> timedelta:
        return self._clock() - self._machine.wall()


def _told(span: timedelta) -> str:
    return str(timedelta(seconds=round(abs(span).total_seconds())))
