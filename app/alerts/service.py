"""Use cases of alerts: what follows from an entry's change, receipts, coverage, drills."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.access.service import expect_checkpoints, record
from app.alerts import store
from app.alerts.domain import (
    DEFAULT_MESSAGE,
    Alert,
    AlertKind,
    Contact,
    Reach,
    ReceiptLevel,
    expiry_of,
    message_of,
    percentile,
)
from app.alerts.store import (
    erase_of_entry,
    has_open,
    list_outdated,
    list_unacknowledged,
    still_holding,
)
from app.db.unit import Reader, Unit
from app.entries.domain import Entry
from app.entries.events import EntryChanged, EntrySealed, PendingBegun
from app.entries.pending import stops, undecided
from app.entries.same_person import list_holding
from app.entries.store import find, lock
from app.entries.views import ALL_ENTRIES, open_to
from app.errors import Fault, Invalid, NotFound
from app.kit.ids import new_id
from app.ledger.domain import Draft, Head, Record, RecordType
from app.ledger.service import Page, read_page
from app.settings import Settings

__all__ = [
    "Coverage",
    "DrillCalled",
    "Issued",
    "MeasureBegun",
    "Read",
    "announce_begun",
    "cover",
    "drill",
    "erase_of_entry",
    "escalate",
    "follow_beginning",
    "follow_entry",
    "follow_pending",
    "follow_seal",
    "has_open",
    "list_outdated",
    "list_unacknowledged",
    "raised_for",
    "read_alerts",
    "receive",
    "tell_drill",
    "tell_pending",
]

DRILL_LIFE = timedelta(hours=1)

_TYPES = {
    AlertKind.RAISE: RecordType.ALERT_RAISED,
    AlertKind.EXERCISE: RecordType.ALERT_RAISED,
    AlertKind.UPDATE: RecordType.ALERT_UPDATED,
    AlertKind.CANCEL: RecordType.ALERT_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Issued:
    """An alert that is about to leave, and how many it will reach."""

    alert: Alert
    sequence: int
    recipients: int
    connected: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far an alert has come; counts checkpoints, not clients. Times in milliseconds from its issue."""

    recipients: int
    connected: int
    reach: list[Reach]
    ms: dict[str, float]
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class MeasureBegun:
    """A formal entry holds from now on, of whose urgent one checkpoints were alerted."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class DrillCalled:
    """A drill was called."""

    draft: Draft


async def follow_entry(unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """Raise, update or cancel the alert of an entry that checkpoints were, or are to be, told of at once.

    A projector: it runs in the transaction of the entry's own change. The recipients are fixed here, when the
    family begins, and never again: each checkpoint that was alerted of the beginning is alerted of the end. A
    formal entry goes on in the family of the urgent one that it formalises.
    """
    if not (event.entry.alerted and event.alerts):
        return ()
    draft = await _tell(unit, event.entry, ended=event.what is RecordType.ENTRY_ENDED)
    return [] if draft is None else [replace(draft, effective_at=event.effective_at)]


async def follow_seal(unit: Unit, event: EntrySealed) -> Sequence[Draft]:
    """Alert the family's checkpoints that an entry is sealed now: an update that names nobody (R61)."""
    draft = await _tell(unit, event.entry, ended=False)
    return [] if draft is None else [draft]


async def follow_beginning(unit: Unit, event: MeasureBegun) -> Sequence[Draft]:
    """Alert checkpoints that a formal entry holds from now on; they may have let the person pass meanwhile."""
    draft = await _tell(unit, event.entry, ended=False)
    return [] if draft is None else [draft]


async def announce_begun(unit: Unit, entry_id: str) -> bool:
    """Alert checkpoints of a formal entry that has begun; whether it still stops anybody.

    Nothing depends on when this runs: checks have known the beginning since its instant.
    """
    entry = await lock(unit, entry_id)
    if not stops(entry, unit.now):
        return False
    unit.happened(MeasureBegun(entry))
    await unit.conclude()
    return True


async def follow_pending(unit: Unit, event: PendingBegun) -> Sequence[Draft]:
    """Alert checkpoints that a measure is over and its papers are undecided: refer, no longer refuse (R68)."""
    draft = await _tell(unit, event.entry, ended=False)
    return [] if draft is None else [replace(draft, effective_at=event.entry.over_at)]


async def tell_pending(unit: Unit, entry_id: str) -> bool:
    """Tell that an entry that checkpoints were alerted about is over and its papers are undecided; whether it was told.

    Nothing depends on when this runs: checks have referred since the end.
    """
    entry = await lock(unit, entry_id)
    if not undecided(entry, unit.now) or not await store.is_outdated(unit, entry_id):
        return False  # decided, or told, since it was looked for
    unit.happened(PendingBegun(entry))
    await unit.conclude()
    return True


async def _tell(unit: Unit, entry: Entry, *, ended: bool) -> Draft | None:
    """The next alert about an entry; None where its family is cancelled already, and it has ended too.

    What holds again after a cancelled alert is raised anew, to every checkpoint there is now.
    """
    family = None
    if entry.version > 1 or entry.formalises is not None:  # there was nothing before it otherwise
        family = await store.find_family(unit, [entry.id, entry.formalises or entry.id])
    if family is not None and family.cancelled_at is not None:
        if ended:
            return None
        family = None
    kind = AlertKind.RAISE
    if family is not None:
        kind = AlertKind.CANCEL if ended else AlertKind.UPDATE
    alert_id = new_id("alr", unit.now)
    alert = Alert(
        id=alert_id,
        family=family.id if family else alert_id,
        entry_id=entry.id,
        kind=kind,
        agency=entry.agency,
        issued_at=unit.now,
        expires_at=expiry_of(entry, unit.now),
        acknowledge_by=unit.now + unit.follow.acknowledge_within,
        chase=entry.chase,
    )
    others = await _others(unit, entry, kind)
    contact = Contact(entry.agency, await store.add(unit, alert))
    if family is None:
        await store.fix_recipients(unit, alert_id)
    elif kind is AlertKind.CANCEL:
        await store.cancel_family(unit, family.id)
    return _draft(alert, entry, contact, entry.alert_message or DEFAULT_MESSAGE, others)


async def _others(unit: Unit, entry: Entry, kind: AlertKind) -> list[Entry]:
    """What else holds the person, where the entry itself does not: its end alone releases nobody.

    An entry that holds is its own answer, so that nothing is asked while checkpoints wait to be told of it.
    """
    if kind is AlertKind.RAISE or (kind is AlertKind.UPDATE and entry.in_force(unit.now)):
        return []
    return await list_holding(unit, entry)


async def drill(
    unit: Unit, message: str, checkpoints: Sequence[str] | None, settings: Settings, here: Iterable[str]
) -> Issued:
    """Send an exercise: delivered and receipted like the real thing, never matched by a check (R59).

    Raises:
        Invalid: a named checkpoint is unknown.
    """
    await expect_checkpoints(unit, checkpoints or (), "/checkpoints")
    alert_id = new_id("alr", unit.now)
    alert = Alert(
        id=alert_id,
        family=alert_id,
        entry_id=None,
        kind=AlertKind.EXERCISE,
        agency=unit.actor.agency,
        issued_at=unit.now,
        expires_at=unit.now + DRILL_LIFE,
        acknowledge_by=unit.now + timedelta(seconds=settings.acknowledge_seconds),
        chase=tuple(checkpoints or ()),
    )
    await store.add(unit, alert)
    await store.fix_recipients(unit, alert_id, checkpoints)
    await record(unit, "alert.drilled", alert_id, {"checkpoints": len(checkpoints or ())})
    unit.happened(DrillCalled(_draft(alert, None, None, message)))
    [told] = await unit.conclude()
    since = unit.now - timedelta(seconds=settings.presence_seconds)
    counts = await store.count_recipients(unit, alert.family, since, here)
    return Issued(alert, told.sequence, *counts)


async def tell_drill(_unit: Unit, event: DrillCalled) -> Sequence[Draft]:
    """The ledger's record of a drill."""
    return [event.draft]


async def raised_for(reader: Reader, entry: Entry, settings: Settings, here: Iterable[str]) -> Issued | None:
    """The first alert of an entry; None while it has none (countersignature demanded first).

    Args:
        reader: the transaction that issued it, or a later one.
        entry: the entry.
        settings: for how long a silent checkpoint counts as connected.
        here: checkpoints connected to this very process.
    """
    since = reader.now - timedelta(seconds=settings.presence_seconds)
    found = await store.find_raised(reader, entry.id, since, here)
    return None if found is None else Issued(*found)


async def receive(
    unit: Unit, alert_id: str, level: ReceiptLevel, officer_reference: str | None, note: str | None
) -> bool:
    """Take a checkpoint's receipt; whether it is the first of this client at this level.

    Raises:
        NotFound: there is no such alert.
        Invalid: a refusal without its reason.
    """
    if level is ReceiptLevel.REFUSED and not note:
        fault = Fault("/note", "required", "A refusal says why.")
        raise Invalid("A refusal needs its reason.", faults=[fault])
    await store.get(unit, alert_id)
    return await store.add_receipt(unit, alert_id, level, officer_reference, note)


@dataclass(frozen=True, slots=True)
class Read:
    """Alerts beyond a cursor, and which of them still hold, as `on_the_wire` wants it."""

    page: Page
    holding: dict[str, bool]

    @property
    def records(self) -> list[Record]:
        """The alerts' records."""
        return self.page.records

    @property
    def head(self) -> Head:
        """The ledger's end when the page was read."""
        return self.page.head


async def read_alerts(reader: Reader, cursor: str | None, limit: int) -> Read:
    """At most `limit` alerts beyond a cursor.

    Raises:
        Invalid, CursorGone: as `read_page`.
    """
    page = await read_page(reader, cursor, limit, alerts_only=True)
    return Read(page, await still_holding(reader, page.records))


async def escalate(unit: Unit, alert: Alert) -> list[str]:
    """Codes of the recipients where nobody has acknowledged an alert; it is escalated from now on (R54)."""
    reach = await store.list_reach(unit, alert)
    await store.mark_escalated(unit, alert.id)
    return [each.code for each in reach if each.acknowledged_at is None]


async def cover(reader: Reader, alert_id: str, settings: Settings, here: Iterable[str]) -> Coverage:
    """How far an alert has come.

    Raises:
        NotFound: there is no such alert, or it is another agency's, or a sealed entry's.
    """
    alert = await store.get(reader, alert_id)
    actor = reader.actor
    entry = await find(reader, alert.entry_id) if alert.entry_id else None
    sealed = entry is not None and not open_to(entry, actor)
    if sealed or (not actor.holds(*ALL_ENTRIES) and alert.agency != actor.agency):
        raise NotFound("There is no such alert.")
    reach = await store.list_reach(reader, alert)
    ms = {
        r.code: (r.received_at - alert.issued_at) / timedelta(milliseconds=1) for r in reach if r.received_at
    }
    since = reader.now - timedelta(seconds=settings.presence_seconds)
    times = list(ms.values())
    recipients, connected = await store.count_recipients(reader, alert.family, since, here)
    return Coverage(
        recipients=recipients,
        connected=connected,
        reach=reach,
        ms=ms,
        p50_ms=percentile(times, 0.50),
        p99_ms=percentile(times, 0.99),
    )


def _draft(
    alert: Alert,
    entry: Entry | None,
    contact: Contact | None,
    message: str,
    others: Collection[Entry] = (),
) -> Draft:
    return Draft(
        type=_TYPES[alert.kind],
        entry_id=alert.entry_id,
        version=entry.version if entry else None,
        agency=alert.agency,
        facts={
            "kind": alert.kind.value,
            "refers_to": None if alert.family == alert.id else alert.family,
            "measure": entry.measure.value if entry else None,
        },
        personal=message_of(alert, entry, contact, message, others),
        alert_id=alert.id,
    )
