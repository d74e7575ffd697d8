"""Alerts after a cursor as frames, read once for the thousands of clients that reconnect at once after an outage."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.alerts.rendering import frame
from app.alerting.alerts.store import still_holding
from app.db.unit import Reader
from app.errors import CursorGone
from app.ledger.domain import Head, Record
from app.ledger.service import head, list_after
from app.runtime import Runtime

_PAGE: Final = 500
_CACHED_FOR: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Window:
    """All alerts after a sequence, as they were read.

    Attributes:
        after: that sequence.
        sequences: the alerts' sequences, in order.
        frames: the alerts as frames, in the same order; empty bytes for an alert that was erased.
        end: the ledger's head when they were read.
        known: the ledger's head that this process knew before they were read.
        read_at: when they were read, by the clock of this machine.
    """

    after: int
    sequences: list[int]
    frames: list[bytes]
    end: Head
    known: Head
    read_at: datetime

    def select(self, position: int) -> tuple[bytes, int, Head]:
        """Return the frames after a position in the window, the position behind them, and the ledger's head."""
        first = bisect_right(self.sequences, position)
        return b"".join(self.frames[first:]), max([position, *self.sequences[-1:]]), self.end


class MissedAlerts:
    """Reads the alerts after a client's cursor, with a cache for many clients that reconnect at the same time.

    Such clients have different cursors, but have missed the same alerts. So the alerts that were read for one cursor
    also serve every later cursor: for one second, or until the ledger has grown. Autogates have a cache of their own.
    More than 500 alerts are not cached.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._windows: dict[bool, _Window] = {}

    async def read(self, cursor: str, restart: str, known: Head, *, to_gate: bool) -> tuple[bytes, int, Head]:
        """Return the alerts after a cursor: frames, the sequence up to which they are complete, and the ledger head.

        The frames are server-sent events, joined to bytes. Alerts that have ended show no identity. The call does not
        wait for later alerts; a stream gets these from the hub.

        Args:
            cursor: the client's cursor.
            restart: the path at which a client with an invalid cursor restarts; the problem document contains it.
            known: the ledger's head up to which this process has published alerts.
            to_gate: whether the client is an autogate, which sees less.

        Raises:
            Invalid: the text is not a cursor.
            CursorGone: the cursor is of another register or epoch, or beyond the head.
        """
        window = self._windows.get(to_gate)
        if window is not None and window.known == known and self._is_fresh(window):
            try:
                position = window.end.position(cursor, restart)
            except CursorGone:  # another process may have published since then
                position = -1
            if position >= window.after:
                return window.select(position)
        window = await self._read_window(cursor, restart, known, to_gate=to_gate)
        if len(window.frames) <= _PAGE:
            self._windows[to_gate] = window
        return window.select(window.after)

    def _is_fresh(self, window: _Window) -> bool:
        """Whether a window is young; one from before or after a step of the clock is not, for alerts may have ended."""
        return timedelta(0) <= self._runtime.clock() - window.read_at <= _CACHED_FOR

    async def _read_window(self, cursor: str, restart: str, known: Head, *, to_gate: bool) -> _Window:
        sequences: list[int] = []
        frames: list[bytes] = []
        async with self._runtime.reading(SYSTEM) as reader:
            read_at = self._runtime.clock()
            end = await head(reader)
            after = end.position(cursor, restart)
            while True:
                records = await list_after(
                    reader, sequences[-1] if sequences else after, _PAGE, alerts_only=True
                )
                holding = await still_holding(reader, records)
                sequences += [record.sequence for record in records]
                frames += [
                    frame(record, end.epoch, to_gate=to_gate, holding=holding) or b"" for record in records
                ]
                if len(records) < _PAGE:
                    return _Window(after, sequences, frames, end, known, read_at)


async def holding_if_late(
    reader: Reader, records: Sequence[Record], seconds: float
) -> dict[str, bool] | None:
    """Return the ids of the open alerts among new ledger records, each with whether its entry is sealed.

    Returns None if no alert was read late, that is more than `seconds` after its issue: then none is expected to have
    ended or to be sealed since.
    """
    oldest = reader.now - timedelta(seconds=seconds)
    late = any(record.alert_id and record.at < oldest for record in records)
    return await still_holding(reader, records) if late else None
