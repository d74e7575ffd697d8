"""Following the notices: each process reads on from where it stands, and tells its officers' streams."""

import asyncio
from collections.abc import Mapping
from functools import partial

from app.access.domain import SYSTEM
from app.alerts.hub import Hub
from app.db.unit import Actor, Reader
from app.entries.sight import Seal, list_seals
from app.kit.clock import rfc3339
from app.ledger.domain import Head
from app.notices import store
from app.notices.domain import Notice, frame, meant_for
from app.notices.service import head
from app.runtime import Runtime

_PAGE = 500


class NoticeTail:
    """Reads the notices on behalf of one process; run beside the ledger's tail, which wakes it.

    Attributes:
        hub: the officers' streams.
        head: the notices' end as last read; None before the first read.
    """

    def __init__(self, runtime: Runtime, hub: Hub) -> None:
        self.runtime = runtime
        self.hub = hub
        self.head: Head | None = None

    async def start(self, reader: Reader) -> None:
        """Take the notices' present end as the place to follow from."""
        self.head = await head(reader)

    async def read_on(self) -> None:
        """Send new notices to their recipients."""
        assert self.head is not None, "start() comes first"
        while True:
            notices, here, seals = await self._unread(self.head.size)
            for notice in notices:
                seal = seals.get(notice.said.entry_id or "")
                self.hub.publish_to(notice.number, frame(notice, here), partial(_meant, notice, seal))
                await asyncio.sleep(0)  # a morning's ladder is hundreds: alerts and writers go between
            if notices:
                self.head = Head(here.epoch, notices[-1].number, notices[-1].number)
                self.runtime.bell.ring()
            if len(notices) < _PAGE:
                return

    async def _unread(self, after: int) -> tuple[list[Notice], Head, Mapping[str, Seal]]:
        """The new notices, the head, and the seals of the notices' entries."""
        async with self.runtime.reading(SYSTEM) as reader:
            here = await head(reader)
            if here.size <= after:
                return [], here, {}
            notices = await store.list_after(reader, after, _PAGE, None)
            entry_ids = {notice.said.entry_id for notice in notices if notice.said.entry_id}
            return notices, here, await list_seals(reader, entry_ids)

    def heartbeat(self) -> bytes:
        """A heartbeat's frame: how far the notices have come."""
        assert self.head is not None, "start() comes first"
        at = rfc3339(self.runtime.clock())
        return f'event: heartbeat\ndata: {{"head":{self.head.size},"at":"{at}"}}\n\n'.encode()


def _meant(notice: Notice, seal: Seal | None, actor: Actor) -> bool:
    through = seal is None or (
        actor.person not in seal.barred and (actor.holds("auditor") or actor.person in seal.let_in)
    )
    return through and meant_for(actor, notice.said.to)
