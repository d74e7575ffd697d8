"""The follower of the notices: each process reads the new ones after its own position, for its officers' streams."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from app.access.domain import SYSTEM, Role
from app.actor import Actor
from app.alerting.notices import store
from app.alerting.notices.domain import Notice, frame, meant_for
from app.alerting.notices.service import head
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.db.unit import Reader
from app.kit.clock import rfc3339
from app.ledger.domain import Head
from app.register.entries.seal_queries import Seal, list_seals
from app.runtime import Runtime

_PAGE = 500


class NoticeTail:
    """Reads new notices from the database for this process, and publishes them to its officers' streams.

    Attributes:
        hub: the officers' streams.
        head: the head of the notices (epoch and last number) as last read; None before `start`.
    """

    def __init__(self, runtime: Runtime, hub: Hub) -> None:
        self.runtime = runtime
        self.hub = hub
        self.head: Head | None = None
        hub.heartbeat = self.heartbeat

    async def start(self, reader: Reader) -> None:
        """Read the head of the notices; `read_on` publishes the notices after it."""
        self.head = await head(reader)

    async def read_on(self) -> None:
        """Read the notices that are new since the last call, and publish each to the streams of its recipients.

        A notice about a sealed entry goes only to those recipients that the seal lets in, and to auditors that it does
        not bar.
        """
        assert self.head is not None, "start() comes first"
        while True:
            notices, current, seals = await self._unread(self.head.size)
            for notice in notices:
                seal = seals.get(notice.content.entry_id or "")
                self.hub.publish_to(notice.number, frame(notice, current), partial(_meant, notice, seal))
                await self.hub.distributed()  # hundreds may come each morning: let alerts and other tasks run
                await asyncio.sleep(0)
            if notices:
                self.head = Head(current.epoch, notices[-1].number, notices[-1].number)
                self.runtime.bell.ring()
            if len(notices) < _PAGE:
                return

    async def _unread(self, after: int) -> tuple[list[Notice], Head, Mapping[str, Seal]]:
        """Return the notices after a number, the head, and the seals of the notices' entries."""
        async with self.runtime.reading(SYSTEM) as reader:
            current = await head(reader)
            if current.size <= after:
                return [], current, {}
            notices = await store.list_after(reader, after, _PAGE, None)
            entry_ids = {notice.content.entry_id for notice in notices if notice.content.entry_id}
            return notices, current, await list_seals(reader, entry_ids)

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the last notice's number."""
        assert self.head is not None, "start() comes first"
        at = rfc3339(self.runtime.clock())
        data = f'{{"head":{self.head.size},"at":"{at}"}}'
        return Heartbeat(self.head.size, f"event: heartbeat\ndata: {data}\n\n".encode())


def _meant(notice: Notice, seal: Seal | None, actor: Actor) -> bool:
    not_sealed = seal is None or (
        actor.person not in seal.barred and (actor.holds(Role.AUDITOR) or actor.person in seal.let_in)
    )
    return not_sealed and meant_for(actor, notice.content.to)


def notice_tail_of(scope: Mapping[str, Any]) -> NoticeTail:
    """Return this process's `NoticeTail`, which reads new notices; `scope` is a request, or its ASGI scope."""
    return cast(NoticeTail, scope["app"].state.process.notice_tail)
