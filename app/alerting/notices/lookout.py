"""Detection of checkpoints that have lost their connection (R55)."""

import logging
from datetime import datetime, timedelta

from app.access.domain import SYSTEM
from app.alerting.alerts import store as alerts
from app.alerting.notices.domain import back, silent
from app.alerting.notices.service import notify
from app.runtime import Runtime

logger = logging.getLogger(__name__)


class Lookout:
    """Notifies the duty officers of checkpoints that have fallen silent, and of those that are connected again.

    Silence counts only while this runs without a break: after an outage of the service, all checkpoints get the same
    time to reconnect as a single one gets before it is reported.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._since: datetime | None = None
        self._looked: datetime | None = None

    async def look(self) -> int:
        """Detect silent and returned checkpoints once. Returns the number of both."""
        settings = self.runtime.settings
        patience = timedelta(seconds=settings.silence_seconds)
        drafts, missed, returned = [], [], []
        async with self.runtime.writing(SYSTEM) as unit:
            now = unit.now
            since = self._unbroken_since(now, timedelta(seconds=settings.presence_seconds))
            await alerts.note_contact(unit)
            if returned := await alerts.list_returned(unit):
                await alerts.mark_returned(unit, [each.code for each in returned])
                drafts.append(back(returned))
            if now - since >= patience and (missed := await alerts.list_silent(unit, now - patience)):
                await alerts.mark_silent(unit, [each.code for each in missed])
                drafts.append(silent(missed, patience))
                logger.warning("checkpoints are silent", extra={"checkpoints": [c.code for c in missed]})
            await notify(unit, drafts)
        self._since, self._looked = since, now
        return len(missed) + len(returned)

    def _unbroken_since(self, now: datetime, longest: timedelta) -> datetime:
        if self._since is None or self._looked is None or not self._looked <= now <= self._looked + longest:
            return now  # this has not run for a while, or the clock was set back
        return self._since
