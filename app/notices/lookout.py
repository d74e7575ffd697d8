"""Checkpoints that fall silent: connected once, and no longer (R55)."""

import logging
from datetime import datetime, timedelta

from app.access.domain import SYSTEM
from app.alerts import store as alerts
from app.notices.domain import back, silent
from app.notices.service import tell
from app.runtime import Runtime

logger = logging.getLogger(__name__)


class Lookout:
    """Tells the duty officers which checkpoints have fallen silent, and which are back.

    Silence counts only while somebody has looked without a break: after a standstill of the service itself, all its
    checkpoints get as long to come back as a single one gets before it is missed.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._since: datetime | None = None
        self._looked: datetime | None = None

    async def look(self) -> int:
        """Look once; how many checkpoints have fallen silent or come back."""
        settings = self.runtime.settings
        patience = timedelta(seconds=settings.silence_seconds)
        drafts, missed, found = [], [], []
        async with self.runtime.writing(SYSTEM) as unit:
            now = unit.now
            since = self._unbroken_since(now, timedelta(seconds=settings.presence_seconds))
            await alerts.note_contact(unit)
            if found := await alerts.list_returned(unit):
                await alerts.find_again(unit, [each.code for each in found])
                drafts.append(back(found))
            if now - since >= patience and (missed := await alerts.list_silent(unit, now - patience)):
                await alerts.miss(unit, [each.code for each in missed])
                drafts.append(silent(missed, patience))
                logger.warning("checkpoints are silent", extra={"checkpoints": [c.code for c in missed]})
            await tell(unit, drafts)
        self._since, self._looked = since, now
        return len(missed) + len(found)

    def _unbroken_since(self, now: datetime, longest: timedelta) -> datetime:
        if self._since is None or self._looked is None or not self._looked <= now <= self._looked + longest:
            return now  # nobody has looked for a while, or the clock was set back
        return self._since
