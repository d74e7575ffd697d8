"""Detection of checkpoints that have lost their connection (R55)."""

import logging
from datetime import datetime, timedelta

from app.access.domain import SYSTEM
from app.alerting.alerts import presence
from app.alerting.alerts.domain import LastSeen
from app.alerting.hours.domain import DutyState
from app.alerting.hours.service import duty_of
from app.alerting.notices.domain import checkpoints_back, checkpoints_silent
from app.alerting.notices.service import notify
from app.db.unit import Unit
from app.runtime import Runtime

logger = logging.getLogger(__name__)


class Lookout:
    """Notifies the duty officers of checkpoints that are not connected any more, and of those that are connected again.

    A checkpoint is reported after `silence_seconds` without a connection. This time begins anew when the checkpoint
    opens, and after an outage of the service, in which `look` was not called for a while. A closed checkpoint without a
    standby is not reported.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._since: datetime | None = None
        self._looked: datetime | None = None

    async def look(self) -> int:
        """Mark checkpoints as silent or returned, and notify duty officers of both. Returns how many were marked."""
        settings = self.runtime.settings
        patience = timedelta(seconds=settings.silence_seconds)
        contents, missed, returned = [], [], []
        async with self.runtime.writing(SYSTEM) as unit:
            now = unit.now
            since = self._unbroken_since(now, timedelta(seconds=settings.presence_seconds))
            await presence.note_contact(unit)
            if returned := await presence.list_returned(unit):
                await presence.mark_returned(unit, [each.code for each in returned])
                contents.append(checkpoints_back(returned))
            if now - since >= patience and (missed := await self._expected(unit, patience)):
                await presence.mark_silent(unit, [each.code for each in missed])
                contents.append(checkpoints_silent(missed, patience))
                logger.warning("checkpoints are silent", extra={"checkpoints": [c.code for c in missed]})
            await notify(unit, contents)
        self._since, self._looked = since, now
        return len(missed) + len(returned)

    async def _expected(self, unit: Unit, patience: timedelta) -> list[LastSeen]:
        """Return the silent checkpoints that were on duty when the silence that is reported began, and are now."""
        missed = await presence.list_silent(unit, unit.now - patience)
        for at in (unit.now - patience, unit.now):
            duties = await duty_of(unit, [each.code for each in missed], at, self.runtime.settings.holidays)
            missed = [each for each in missed if duties[each.code].state is not DutyState.CLOSED]
        return missed

    def _unbroken_since(self, now: datetime, longest: timedelta) -> datetime:
        if self._since is None or self._looked is None or not self._looked <= now <= self._looked + longest:
            return now  # this has not run for a while, or the clock was set back
        return self._since
