"""The daily drill: an exercise alert to each open checkpoint, and a test of each channel to its contacts.

It proves the whole way, from the ledger to a person who acknowledges, before there is a real alert.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.access.domain import SYSTEM
from app.alerting.alerts.domain import Reach, percentile
from app.alerting.alerts.service import drill as call_drill
from app.alerting.channels.service import available
from app.alerting.escalation import drill_store, store
from app.alerting.escalation.domain import NOTICE, EscalationPolicy, Page, PageState, page_id
from app.alerting.escalation.service import add_pages, new_page
from app.alerting.hours.domain import DutyState
from app.alerting.hours.service import duty_of
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid
from app.runtime import Runtime
from app.settings import Settings

MESSAGE: Final = "Latihan harian: konfirmasikan. / Daily drill: acknowledge it."
"""The text that counters show for a daily drill."""


def day_of_drill(zone: str, first_client_at: datetime, at: time, now: datetime) -> date | None:
    """Return today's date in a checkpoint's time zone if today's drill is due by now; else None.

    A checkpoint takes part from the day after it got its first client. Whether today's drill was called already is not
    examined.

    Args:
        zone: name of the checkpoint's time zone.
        first_client_at: when the checkpoint got its first client.
        at: time of day of the drill, in the checkpoint's time zone.
        now: the present instant.
    """
    local = now.astimezone(ZoneInfo(zone))
    new = first_client_at.astimezone(ZoneInfo(zone)).date() >= local.date()
    return None if new or local.time() < at else local.date()


async def call_daily_drills(runtime: Runtime) -> int:
    """Issue one drill to all open checkpoints whose daily drill is due. Returns the number of these checkpoints.

    Their escalation contacts get a test page each. A checkpoint that is closed at the time of the drill gets it when it
    opens on the same day. After an error each checkpoint gets a drill of its own; one that fails is logged, and is due
    again in the next round. If daily drills are switched off, does nothing and returns 0.
    """
    settings = runtime.settings
    if not settings.daily_drill:
        return 0
    failure = "a daily drill can't be called now"
    days: dict[str, date] = {}
    async with runtime.reading(SYSTEM) as reader:
        for code, zone, since in await drill_store.list_places(reader):
            with runtime.isolating(failure, item=code):
                day = day_of_drill(zone, since, settings.drill_at, reader.now)
                days |= {} if day is None else {code: day}
        due = sorted(days.keys() - await drill_store.list_drilled(reader, days))
        duties = await duty_of(reader, due, reader.now, settings.holidays)

    async def call(codes: Sequence[str]) -> int:
        async with runtime.writing(SYSTEM) as unit:
            await _call(unit, {code: days[code] for code in codes}, settings)
        return len(codes)

    due = [code for code in due if duties[code].state is DutyState.OPEN]
    if not due:
        return 0
    return (await runtime.do_together_or_apart(due, call, failure)).number


async def _call(unit: Unit, days: dict[str, date], settings: Settings) -> None:
    """Issue one drill to some checkpoints, and make a page to each of their contacts."""
    codes = sorted(days)
    issued = await call_drill(unit, MESSAGE, codes, settings, ())
    await drill_store.add_drills(unit, issued.alert.id, days)
    policies = await store.list_policies(unit, codes)
    channels = available(settings).keys()
    pages = [
        new_page(page, channels)
        for code in codes
        if code in policies
        for page in _pages(issued.alert.id, code, policies[code], unit)
    ]
    await add_pages(unit, pages)


def _pages(alert_id: str, checkpoint: str, policy: EscalationPolicy, unit: Unit) -> Iterable[Page]:
    """Return a page for each address of an escalation policy, once each."""
    known: set[tuple[str, str]] = set()
    for step in policy.steps:
        for contact in step.contacts:
            if contact.channel == NOTICE or contact.address is None:
                continue
            if (contact.channel, contact.address) in known:
                continue
            known.add((contact.channel, contact.address))
            yield Page(
                id=page_id(alert_id, checkpoint, "drill", len(known)),
                alert_id=alert_id,
                checkpoint=checkpoint,
                step=0,
                level=step.level,
                channel=contact.channel,
                address=contact.address,
                drill=True,
                state=PageState.DUE,
                attempts=0,
                created_at=unit.now,
                due_at=unit.now,
            )


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """The numbers of test pages that one day's drill sent by one channel.

    Attributes:
        channel: name of the channel.
        sent: number of pages that the channel has accepted.
        failed: number of pages that can't be sent.
        waiting: number of pages that wait for an attempt.
    """

    channel: str
    sent: int
    failed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DrillFigures:
    """The results of the daily drill of one day.

    Attributes:
        day: the day in each checkpoint's own zone.
        alerts: ids of the day's exercise alerts; each was sent to the checkpoints that were open at that time.
        checkpoints: number of checkpoints that got the drill.
        unreceived: codes of the checkpoints without any receipt of the drill.
        unacknowledged: codes of the checkpoints at which no person acknowledged the drill.
        p50_ms, p99_ms: median and 99th percentile of the milliseconds from issue to a checkpoint's first receipt; None
            without a receipt.
        channels: the test pages of the day, by channel.
    """

    day: date
    alerts: Sequence[str]
    checkpoints: int
    unreceived: Sequence[str]
    unacknowledged: Sequence[str]
    p50_ms: float | None
    p99_ms: float | None
    channels: Sequence[ChannelFigures]


USUAL_PERIOD: Final = timedelta(days=30)
"""How long before the last day a period of drills begins if the caller names no first day."""

LONGEST_PERIOD: Final = timedelta(days=92)
"""The longest period of drills that one call may read."""


async def read_figures(reader: Reader, first: date, last: date) -> list[DrillFigures]:
    """Return the results of the daily drills from the day `first` to the day `last`, both included, earliest first.

    Days without a drill are omitted.

    Raises:
        Invalid: the period is longer than `LONGEST_PERIOD`, or ends before it begins.
    """
    if not first <= last <= first + LONGEST_PERIOD:
        detail = f"A period has at most {LONGEST_PERIOD.days} days, and ends no earlier than it begins."
        raise Invalid(detail, faults=[Fault("/last", "period", detail)])
    by_day: dict[date, list[tuple[str, Reach, datetime]]] = defaultdict(list)
    for day, alert_id, reach, issued_at in await drill_store.list_reach(reader, first, last):
        by_day[day].append((alert_id, reach, issued_at))
    alerts = {alert_id for rows in by_day.values() for alert_id, _, _ in rows}
    pages = await drill_store.count_pages(reader, alerts)
    return [_figures(day, rows, pages) for day, rows in sorted(by_day.items())]


def _figures(
    day: date,
    rows: Sequence[tuple[str, Reach, datetime]],
    pages: Sequence[tuple[str, str, PageState, int]],
) -> DrillFigures:
    alerts = sorted({alert_id for alert_id, _, _ in rows})
    times = [
        (reach.received_at - issued_at) / timedelta(milliseconds=1)
        for _, reach, issued_at in rows
        if reach.received_at
    ]
    counts: dict[str, Counter[PageState]] = defaultdict(Counter)
    for alert_id, channel, state, number in pages:
        if alert_id in alerts:
            counts[channel][state] += number
    return DrillFigures(
        day=day,
        alerts=alerts,
        checkpoints=len(rows),
        unreceived=[reach.code for _, reach, _ in rows if reach.received_at is None],
        unacknowledged=[reach.code for _, reach, _ in rows if reach.acknowledged_at is None],
        p50_ms=percentile(times, 0.50),
        p99_ms=percentile(times, 0.99),
        channels=[
            ChannelFigures(channel, states[PageState.SENT], states[PageState.FAILED], states[PageState.DUE])
            for channel, states in sorted(counts.items())
        ],
    )
