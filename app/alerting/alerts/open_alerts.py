"""Open alerts as frames, read once for the thousands of clients that connect at once without a cursor."""

import asyncio
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.alerts.rendering import frame
from app.alerting.alerts.store import list_open
from app.ledger.domain import Head
from app.ledger.service import list_of_alerts
from app.runtime import Runtime

_CACHED_SECONDS: Final = 1.0


class OpenAlerts:
    """Reads the open alerts for each kind of client, and keeps them for one second or until the ledger has grown."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cached: dict[bool, tuple[bytes, Head, float]] = {}

    async def read(self, known: Head, *, to_gate: bool) -> tuple[bytes, int, Head]:
        """Return the open alerts as frames, the sequence up to which they are complete, and the ledger's head there.

        Open alerts are neither expired nor cancelled. The frames are server-sent events, joined to bytes. A stream that
        has joined the hub gets later alerts from the hub.

        Args:
            known: the ledger's head up to which this process has published alerts; later alerts are left out.
            to_gate: whether the client is an autogate, which sees less.
        """
        loop = asyncio.get_running_loop()
        cached = self._cached.get(to_gate)
        if cached is None or cached[1].size != known.size or loop.time() > cached[2]:
            async with self._runtime.reading(SYSTEM) as reader:
                holding = await list_open(reader)
                records = await list_of_alerts(reader, list(holding))
            encoded = (
                frame(record, known.epoch, to_gate=to_gate, holding=holding)
                for record in records
                if record.sequence <= known.size
            )
            cached = (b"".join(each or b"" for each in encoded), known, loop.time() + _CACHED_SECONDS)
            self._cached[to_gate] = cached
        return cached[0], cached[1].size, cached[1]
