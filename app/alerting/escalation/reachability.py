"""Which checkpoints an alert would not reach: no connected client, and no contact whose channel works."""

from datetime import timedelta

from app.alerting.channels.service import available
from app.alerting.escalation import page_store, store
from app.alerting.escalation.domain import NOTICE, RECENTLY
from app.alerting.hours.domain import DutyState
from app.alerting.hours.service import duty_of
from app.db.unit import Reader
from app.settings import Settings

FAILING_FOR: timedelta = timedelta(days=7)
"""For this time a contact counts as failing because of a failed page, unless a later page was sent."""


async def list_unreachable(reader: Reader, settings: Settings) -> list[str]:
    """Return the codes of the active checkpoints that no alert would reach now, sorted.

    Such a checkpoint was not connected in the last two minutes (`RECENTLY`), and its escalation policy has no contact
    that can be paged now. Contacts by notice do not count. Neither do addresses to which a page of the last seven days
    (`FAILING_FOR`) failed, if none was sent since. Closed checkpoints without a standby are omitted.
    """
    disconnected = await store.list_disconnected(reader, reader.now - RECENTLY)
    policies = await store.list_policies(reader, disconnected)
    failing = await page_store.list_failing(reader, reader.now - FAILING_FOR)
    channels = available(settings).keys()

    duties = await duty_of(reader, disconnected, reader.now, settings.holidays)

    def can_be_paged(code: str) -> bool:
        standby = duties[code].state is DutyState.STANDBY
        return code in policies and any(
            contact.channel != NOTICE and (code, contact.channel, contact.address) not in failing
            for step in policies[code].steps
            for contact in step.pageable(channels, standby=standby)
        )

    expected = [code for code in disconnected if duties[code].state is not DutyState.CLOSED]
    return [code for code in expected if not can_be_paged(code)]
