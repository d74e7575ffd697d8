"""Logging of database outages: one line at the start, and one at the end with the duration.

During an outage every query fails, many times a second; a log line for each would hide all others.
"""

import logging
from collections.abc import Callable
from time import monotonic

from app.db.faults import Outage, outage

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 5.0
"""Seconds without a failure after which an outage is over; an intermittent outage counts as one."""


class Outages:
    """Logs the beginning and the end of each outage of one process's databases.

    Args:
        now: returns the seconds of a monotonic clock.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._why: Outage | None = None
        self._since = self._last = 0.0
        self._writing = False

    def failed(self, error: BaseException, *, writing: bool = False) -> bool:
        """Record a failure; if it is the first of an outage, log the start. Returns whether it belongs to an outage.

        Args:
            error: the exception; one that shows no outage (see `faults.outage`) is ignored.
            writing: whether a write failed; then only a successful write ends the outage.
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
        """Record that the database has served a call; log the end of an outage if this ends one.

        An outage ends if the last failure was at least `SETTLED_SECONDS` ago. If a write has failed in it, only a
        successful write (`writing`) ends it.
        """
        if self._why is None or (self._writing and not writing) or self._now() - self._last < SETTLED_SECONDS:
            return
        details = {"reason": str(self._why), "seconds": round(self._last - self._since, 1)}
        logger.warning("the database serves again", extra=details)
        self._why, self._writing = None, False
