"""What is logged of an outage: a line when it begins, and one when it is over that says how long it was.

Everything that asks the database fails meanwhile, many times a second: as many lines would hide all others.
"""

import logging
from collections.abc import Callable
from time import monotonic

from app.db.faults import Outage, outage

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 5.0
"""How long nothing must have failed until an outage is over: one that comes and goes is one."""


class Outages:
    """The outage of one process's databases, if there is one.

    Args:
        now: seconds of a clock that is never set.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._why: Outage | None = None
        self._since = self._last = 0.0
        self._writing = False

    def failed(self, error: BaseException, *, writing: bool = False) -> bool:
        """Note a failure; whether it is an outage's, which needs no line of its own.

        Args:
            error: what was raised.
            writing: whether something was to be written: then only what is written ends the outage.
        """
        why = outage(error)
        if why is None:
            return False
        self._last = self._now()
        self._writing = self._writing or writing
        if self._why is None:
            self._why, self._since = why, self._last
            logger.error("the database can't serve", exc_info=error, extra={"reason": str(why)})
        return True

    def served(self, *, writing: bool) -> None:
        """Note that the database was read, or written."""
        if self._why is None or (self._writing and not writing) or self._now() - self._last < SETTLED_SECONDS:
            return
        told = {"reason": str(self._why), "seconds": round(self._last - self._since, 1)}
        logger.warning("the database serves again", extra=told)
        self._why, self._writing = None, False
