"""Use case of coverage: how far an alert has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.alerting.alerts.domain import Reach, percentile
from app.alerting.alerts.service import count_recipients, get_alert, list_last_seen, list_reach
from app.alerting.escalation.domain import RECENTLY, Page
from app.alerting.escalation.service import list_pages
from app.alerting.hours.domain import Duty
from app.alerting.hours.service import duty_of
from app.db.unit import Reader
from app.errors import NotFound
from app.register.entries.store import find
from app.register.entries.visibility import ALL_ENTRIES, open_to
from app.settings import Settings

MOST_PAGES: Final = 1000
"""Greatest number of pages that the coverage of an alert shows; the newest are shown."""


class Line(StrEnum):
    """Whether a checkpoint is connected: now, `late` (it lost its connection in the last two minutes), or `down`.

    `down` means that it lost the connection longer ago, or never had one. For `presence_seconds` after its last sign of
    life a checkpoint still counts as connected.
    """

    CONNECTED = "connected"
    LATE = "late"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The receipts of an alert, by checkpoint and not by client, and how fast they came.

    Attributes:
        recipients: number of checkpoints that the alert was sent to.
        connected: number of these recipients that are connected now.
        reach: when the first receipts of each recipient came, sorted by checkpoint code.
        duties: whether each recipient is open now, has a standby or is closed, by checkpoint code.
        lines: whether each recipient is connected now, by checkpoint code.
        pages: the newest pages (messages to contacts) about the alert, oldest of them first.
        ms: milliseconds from the issue to each recipient's first receipt, by checkpoint code; recipients without a
            receipt are omitted.
        p50_ms, p99_ms: the median and the 99th percentile of `ms`; None without a receipt.
    """

    recipients: int
    connected: int
    reach: list[Reach]
    duties: dict[str, Duty]
    lines: dict[str, Line]
    pages: list[Page]
    ms: dict[str, float]
    p50_ms: float | None
    p99_ms: float | None


async def cover(reader: Reader, alert_id: str, settings: Settings, connected: Iterable[str]) -> Coverage:
    """Return the receipts of an alert by checkpoint, and their delays.

    Args:
        reader: the transaction.
        alert_id: id of the alert.
        settings: for how long a silent checkpoint counts as connected, and the public holidays.
        connected: codes of the checkpoints connected to this process.

    Raises:
        NotFound: the alert does not exist, or its entry is sealed from the actor; or it is of another agency, and the
            actor may not see all entries.
    """
    alert = await get_alert(reader, alert_id)
    actor = reader.actor
    entry = await find(reader, alert.entry_id) if alert.entry_id else None
    sealed = entry is not None and not open_to(entry, actor)
    if sealed or (not actor.holds(*ALL_ENTRIES) and alert.agency != actor.agency):
        raise NotFound("There is no such alert.")
    reach = await list_reach(reader, alert)
    ms = {
        r.code: (r.received_at - alert.issued_at) / timedelta(milliseconds=1) for r in reach if r.received_at
    }
    since = reader.now - timedelta(seconds=settings.presence_seconds)
    times = list(ms.values())
    here = frozenset(connected)
    seen = await list_last_seen(reader, alert.family)
    recipients, reachable = await count_recipients(reader, alert.family, since, here)
    return Coverage(
        recipients=recipients,
        connected=reachable,
        reach=reach,
        duties=await duty_of(reader, [r.code for r in reach], reader.now, settings.holidays),
        lines={
            r.code: Line.CONNECTED if r.code in here else _line(seen.get(r.code), since, reader.now)
            for r in reach
        },
        pages=await list_pages(reader, alert_id, MOST_PAGES),
        ms=ms,
        p50_ms=percentile(times, 0.50),
        p99_ms=percentile(times, 0.99),
    )


def _line(seen_at: datetime | None, since: datetime, now: datetime) -> Line:
    if seen_at is None or seen_at < now - RECENTLY:
        return Line.DOWN
    return Line.CONNECTED if seen_at >= since else Line.LATE
