"""Sends the pages that are due, by the channels of the deployment, beside the rounds that make them.

A page is claimed with a lease, sent outside of any transaction, and its result stored. If the process ends between,
the page is due again after the lease, and is sent again under the same id. Each channel has its own slots, so that a
mail server that hangs delays no page by another channel.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.alerts.domain import AlertKind
from app.alerting.channels.domain import Channel, Message, Outcome, SendState
from app.alerting.channels.service import available
from app.alerting.escalation import page_store
from app.alerting.escalation.domain import RETRIES, About, Page, PageState, subject_of, text_of
from app.alerting.escalation.notices import channel_failed
from app.alerting.notices.service import notify
from app.runtime import Runtime

logger = logging.getLogger(__name__)

SLOTS: Final = 16
"""Greatest number of pages that one channel sends at the same time."""

CLAIM_SECONDS: Final = 1.0
"""Longest time between two searches for due pages while others are being sent."""

MARGIN: Final = timedelta(seconds=30)
"""How much longer the lease of a claimed page is than the longest time limit of a channel."""


class Pager:
    """Sends each due page by its channel, and stores the results. Several processes may do so at the same time.

    After a transient failure a page is due again, at most three times (`RETRIES`). After the last one, or a permanent
    failure, its state is `failed` and officers are notified.

    Attributes:
        sent: number of stored results by channel and state, for the metrics.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sent: dict[tuple[str, PageState], int] = {}
        self._channels = available(runtime.settings)
        limits = runtime.settings.page_seconds, runtime.settings.smtp_seconds
        self._lease = timedelta(seconds=max(limits)) + MARGIN
        self._pumps: dict[str, asyncio.Task[None]] = {}

    def begin(self) -> None:
        """Start for each channel a task that sends the channel's due pages, unless one runs already; return at once."""
        for name, channel in self._channels.items():
            if name not in self._pumps or self._pumps[name].done():
                self._pumps[name] = asyncio.create_task(self._pump(name, channel))

    async def finish(self) -> None:
        """Wait until the tasks of `begin` end. A task ends when no page is due or being sent, or after a failure."""
        if self._pumps:
            await asyncio.wait(self._pumps.values())

    async def _pump(self, name: str, channel: Channel) -> None:
        """Send pages of a channel, in each slot one after the other, until none is due or under way."""
        sending: set[asyncio.Task[None]] = set()
        try:
            while True:
                for page, about in await self._claim(name, SLOTS - len(sending)):
                    sending.add(asyncio.create_task(self._send(channel, page, about)))
                if not sending:
                    return
                # Also where none has ended: a page that hangs must not delay those that become due meanwhile.
                _, sending = await asyncio.wait(
                    sending, timeout=CLAIM_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        except Exception as error:  # the next round begins anew; what was claimed is sent after its lease
            if not self.runtime.outages.failed(error):
                logger.exception("pages can't be sent now", extra={"channel": name})
            if sending:
                await asyncio.wait(sending)

    async def _claim(self, channel: str, limit: int) -> list[tuple[Page, About]]:
        if limit == 0:
            return []
        async with self.runtime.reading(SYSTEM) as reader:
            if not await page_store.has_due_pages(reader, channel):
                return []
        async with self.runtime.writing(SYSTEM) as unit:
            doubtful = self.runtime.doubt() is not None
            return await page_store.claim_pages(unit, channel, limit, self._lease, doubtful=doubtful)

    async def _send(self, channel: Channel, page: Page, about: About) -> None:
        outcome = await self._attempt(channel, page, about)
        try:
            await self._store(page, outcome)
        except Exception as error:  # the lease of the page ends, and it is sent again
            if not self.runtime.outages.failed(error):
                logger.exception("a page's result can't be stored now", extra={"page": page.id})

    async def _attempt(self, channel: Channel, page: Page, about: About) -> Outcome:
        """Try once to send a page. After an error, which is logged, it has failed, and the next step is due."""
        try:
            message = Message(
                id=page.id,
                address=page.address or "",
                subject=subject_of(about, page.checkpoint, drill=page.drill),
                text=text_of(about, page.checkpoint, drill=page.drill),
                drill=page.drill or about.kind == AlertKind.EXERCISE,
            )
            return await channel.send(message)
        except Exception:
            logger.exception("a page can't be sent", extra={"page": page.id})
            return Outcome(SendState.PERMANENT, "It can't be made: the service's log says why.", 0)

    async def _store(self, page: Page, outcome: Outcome) -> None:
        async with self.runtime.writing(SYSTEM) as unit:
            again = None
            if outcome.state is SendState.TRANSIENT and page.attempts < len(RETRIES):
                again = unit.now + RETRIES[page.attempts]
            state = (
                PageState.SENT
                if outcome.state is SendState.SENT
                else PageState.DUE
                if again
                else PageState.FAILED
            )
            await page_store.store_result(unit, page.id, state, again, outcome.detail, round(outcome.ms))
            if state is PageState.FAILED:
                await page_store.hasten(unit, page)  # before the notice, as rounds lock chases (0081)
                await notify(unit, [channel_failed(page.checkpoint, page.channel, unit.now)])
        self.sent[page.channel, state] = self.sent.get((page.channel, state), 0) + 1
