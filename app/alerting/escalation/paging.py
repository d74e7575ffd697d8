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
from app.alerting.escalation import store
from app.alerting.escalation.domain import RETRIES, About, Page, PageState, subject_of, text_of
from app.alerting.escalation.notices import channel_failed
from app.alerting.notices.service import notify
from app.runtime import Runtime

logger = logging.getLogger(__name__)

SLOTS: Final = 8
"""Number of pages that are sent at once by one channel."""

MARGIN: Final = timedelta(seconds=30)
"""How much longer than the longest time limit of a channel a claimed page belongs to its claimer."""


class Pager:
    """Sends pages for one process.

    Attributes:
        sent: number of pages by channel and state, for the metrics.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sent: dict[tuple[str, PageState], int] = {}
        self._channels = available(runtime.settings)
        limits = runtime.settings.page_seconds, runtime.settings.smtp_seconds
        self._lease = timedelta(seconds=max(limits)) + MARGIN
        self._sending: dict[str, set[asyncio.Task[None]]] = {name: set() for name in self._channels}

    async def begin(self) -> int:
        """Claim due pages as far as slots are free, and begin to send them. Returns the number of claimed pages."""
        begun = 0
        for name, channel in self._channels.items():
            free = SLOTS - len(self._sending[name])
            if free and await self._has_due(name):
                async with self.runtime.writing(SYSTEM) as unit:
                    pages = await store.claim_pages(unit, name, free, self._lease)
                for page, about in pages:
                    task = asyncio.create_task(self._send(channel, page, about))
                    self._sending[name].add(task)
                    task.add_done_callback(self._sending[name].discard)
                begun += len(pages)
        return begun

    async def _has_due(self, channel: str) -> bool:
        async with self.runtime.reading(SYSTEM) as reader:
            return await store.has_due_pages(reader, channel)

    async def finish(self) -> None:
        """Wait until every page that is being sent has its result."""
        while sending := [task for tasks in self._sending.values() for task in tasks]:
            await asyncio.wait(sending)

    async def _send(self, channel: Channel, page: Page, about: About) -> None:
        try:
            message = Message(
                id=page.id,
                address=page.address or "",
                subject=subject_of(about, page.checkpoint, drill=page.drill),
                text=text_of(about, page.checkpoint, drill=page.drill),
                drill=page.drill or about.kind == AlertKind.EXERCISE,
            )
            await self._store(page, await channel.send(message))
        except Exception as error:  # the lease of the page ends, and it is sent again
            if not self.runtime.outages.failed(error):
                logger.exception("a page's result can't be stored now", extra={"page": page.id})

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
            await store.store_result(unit, page.id, state, again, outcome.detail, round(outcome.ms))
            if state is PageState.FAILED:
                await notify(unit, [channel_failed(page.checkpoint, page.channel, unit.now)])
        self.sent[page.channel, state] = self.sent.get((page.channel, state), 0) + 1
