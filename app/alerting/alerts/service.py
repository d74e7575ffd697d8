"""Use cases of alerts: issuing them after changes of entries, drills, reading them, and missing acknowledgements."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.access.acts import AuditAct
from app.access.clients.service import expect_checkpoints, record
from app.alerting.alerts import store
from app.alerting.alerts.domain import (
    DEFAULT_MESSAGE,
    Alert,
    AlertKind,
    Contact,
    ReceiptLevel,
    expiry_of,
    message_of,
)
from app.alerting.alerts.erasure_store import erase_of_drill, erase_of_entry, list_drills_to_erase
from app.alerting.alerts.overdue_store import list_unnotified, mark_escalated
from app.alerting.alerts.presence import list_last_seen
from app.alerting.alerts.store import (
    count_recipients,
    get_alert,
    has_open,
    list_outdated,
    list_reach,
    still_holding,
)
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid
from app.kit.ids import new_id
from app.ledger.domain import Draft, Head, Record, RecordType
from app.ledger.service import Page
from app.ledger.service import read_alerts as read_records
from app.register.entries.domain import Entry
from app.register.entries.events import EntryChanged, EntrySealed, PendingBegun
from app.register.entries.pending import stops, undecided
from app.register.entries.same_person import list_stopping
from app.register.entries.store import lock
from app.settings import Settings

__all__ = [
    "DrillCalled",
    "Issued",
    "MeasureBegun",
    "Read",
    "alert_beginning",
    "alert_change",
    "alert_drill",
    "alert_pending",
    "alert_seal",
    "announce_begun",
    "count_recipients",
    "drill",
    "erase_of_drill",
    "erase_of_entry",
    "expect_reason",
    "get_alert",
    "has_open",
    "list_drills_to_erase",
    "list_last_seen",
    "list_outdated",
    "list_reach",
    "list_unnotified",
    "list_without_acknowledgement",
    "mark_escalated",
    "raised_for",
    "read_alerts",
]

DRILL_LIFE = timedelta(hours=1)
"""Time from the issue of a drill until it expires."""

_TYPES = {
    AlertKind.RAISE: RecordType.ALERT_RAISED,
    AlertKind.EXERCISE: RecordType.ALERT_RAISED,
    AlertKind.UPDATE: RecordType.ALERT_UPDATED,
    AlertKind.CANCEL: RecordType.ALERT_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued alert: its sequence in the ledger, its number of recipients, and how many of them are connected now.

    A recipient is a checkpoint. `connected` counts those connected to any process.
    """

    alert: Alert
    sequence: int
    recipients: int
    connected: int


@dataclass(frozen=True, slots=True)
class MeasureBegun:
    """An event: a formal entry has come into force, to whose urgent entry checkpoints were alerted."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class DrillCalled:
    """An event: a drill was called, by a duty officer or as the daily drill; `draft` is its record for the ledger."""

    draft: Draft


async def alert_change(unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """Issue the alert about a change of an entry (raise, update or cancel), and return its ledger record in a list.

    Called as a projector: in the transaction of the change. The list is empty if `Entry.alerted` or the event's
    `alerts` is False, or if the entry has ended and its family of alerts is cancelled already. The recipients are fixed
    when a family begins: each checkpoint that gets the first alert gets the later ones. A formal entry continues the
    family of the urgent entry that it formalises.
    """
    if not (event.entry.alerted and event.alerts):
        return ()
    draft = await _issue_next(unit, event.entry, ended=event.what is RecordType.ENTRY_ENDED)
    return [] if draft is None else [replace(draft, effective_at=event.effective_at)]


async def alert_seal(unit: Unit, event: EntrySealed) -> Sequence[Draft]:
    """Issue an alert without identity about an entry that was sealed (R61), and return its ledger record in a list.

    Called as a projector, in the transaction of the event. The event happens only for an entry that checkpoints were
    alerted to and that is not over.
    """
    draft = await _issue_next(unit, event.entry, ended=False)
    return [] if draft is None else [draft]


async def alert_beginning(unit: Unit, event: MeasureBegun) -> Sequence[Draft]:
    """Issue the alert that a formal entry has come into force, and return its ledger record in a list.

    Called as a projector: in the transaction of the event.
    """
    draft = await _issue_next(unit, event.entry, ended=False)
    return [] if draft is None else [draft]


async def announce_begun(unit: Unit, entry_id: str) -> bool:
    """Alert checkpoints that a formal entry has come into force. Returns whether they were alerted.

    They are not alerted if the entry stops nobody now, because it has ended or begins later. A second call alerts them
    again, so call this only for entries of `store.list_begun`. A late alert does no harm, because checks apply the
    entry from its first instant.

    Raises:
        NotFound: there is no entry with this id.
    """
    entry = await lock(unit, entry_id)
    if not stops(entry, unit.now):
        return False
    unit.happened(MeasureBegun(entry))
    await unit.conclude()
    return True


async def alert_pending(unit: Unit, event: PendingBegun) -> Sequence[Draft]:
    """Issue the alert that checkpoints refer a person and no longer refuse them (R68); return its record in a list.

    The measure is over, and papers that extend or follow it arrived in time and are undecided. Called as a projector:
    in the transaction of the event.
    """
    draft = await _issue_next(unit, event.entry, ended=False)
    return [] if draft is None else [replace(draft, effective_at=event.entry.over_at)]


async def announce_pending(unit: Unit, entry_id: str) -> bool:
    """Alert checkpoints that an entry's period is over while papers that arrived in time are undecided (R68).

    Returns whether checkpoints were alerted. They are not if the papers are decided by now, or if an alert was issued
    since the end (`is_outdated`). A late alert does no harm, because checks refer the person from the end on.

    Raises:
        NotFound: there is no entry with this id.
    """
    entry = await lock(unit, entry_id)
    if not undecided(entry, unit.now) or not await store.is_outdated(unit, entry_id):
        return False  # decided or alerted since it was listed
    unit.happened(PendingBegun(entry))
    await unit.conclude()
    return True


async def _issue_next(unit: Unit, entry: Entry, *, ended: bool) -> Draft | None:
    """Store the next alert about an entry and return its draft for the ledger.

    Returns None if the entry has ended and its family of alerts is cancelled already. If an entry holds again after
    its family was cancelled, a new family begins, with every checkpoint that is active now.
    """
    family = None
    if entry.version > 1 or entry.formalises is not None:  # otherwise no earlier alert can exist
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
    if family is not None:
        await store.replace_earlier(unit, family.id)
    others = await _others(unit, entry, kind)
    contact = Contact(entry.agency, await store.add(unit, alert))
    if family is None:
        await store.fix_recipients(unit, alert_id)
    elif kind is AlertKind.CANCEL:
        await store.cancel_family(unit, family.id)
    return _draft(alert, entry, contact, entry.alert_message or DEFAULT_MESSAGE, others)


async def _others(unit: Unit, entry: Entry, kind: AlertKind) -> list[Entry]:
    """Return the other entries that stop the person, because the end of this entry alone must not release them.

    For a raise, and while the entry itself is in force, the result is empty, also if another entry would refuse where
    this one refers: a query would delay the alert.
    """
    if kind is AlertKind.RAISE or (kind is AlertKind.UPDATE and entry.in_force(unit.now)):
        return []
    return await list_stopping(unit, entry)


async def drill(
    unit: Unit, message: str, checkpoints: Sequence[str] | None, settings: Settings, connected: Iterable[str]
) -> Issued:
    """Issue a drill: an alert that is delivered and confirmed like a real one, and never matched by a check (R59).

    It is recorded in the audit trail, and expires after an hour.

    Args:
        unit: the transaction.
        message: text for the counters.
        checkpoints: codes of the recipients, which are also the first to be called (`chase`); None for every active
            checkpoint.
        settings: deadlines, and how long a silent checkpoint counts as connected.
        connected: codes of the checkpoints connected to this process.

    Returns:
        The drill as issued.

    Raises:
        Invalid: a named checkpoint is unknown or not active.
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
    await record(unit, AuditAct.ALERT_DRILLED, alert_id, {"checkpoints": len(checkpoints or ())})
    unit.happened(DrillCalled(_draft(alert, None, None, message)))
    [written] = await unit.conclude()
    since = unit.now - timedelta(seconds=settings.presence_seconds)
    counts = await count_recipients(unit, alert.family, since, connected)
    return Issued(alert, written.sequence, *counts)


async def alert_drill(_unit: Unit, event: DrillCalled) -> Sequence[Draft]:
    """Return the ledger record of a drill that was called.

    Called as a projector: in the transaction of the event.
    """
    return [event.draft]


async def raised_for(
    reader: Reader, entry: Entry, settings: Settings, connected: Iterable[str]
) -> Issued | None:
    """Return the alert that begins the first family of alerts about an entry, with the numbers of its recipients.

    The alert may be over or cancelled. Returns None if no family began with this entry: an urgent entry that waits for
    a countersignature has no alert yet, and a formal entry's alerts continue the family of its urgent entry.

    Args:
        reader: the transaction that issued the alert, or a later one.
        entry: the entry.
        settings: for how long a silent checkpoint counts as connected.
        connected: codes of the checkpoints connected to this process.
    """
    since = reader.now - timedelta(seconds=settings.presence_seconds)
    raised = await store.find_raised(reader, entry.id, since, connected)
    return None if raised is None else Issued(*raised)


def expect_reason(level: ReceiptLevel, note: str | None) -> None:
    """Raise Invalid if a receipt of the level `refused` has no note with the reason.

    Raises:
        Invalid: the note is missing; the fault's JSON pointer is `/note`.
    """
    if level is ReceiptLevel.REFUSED and not note:
        fault = Fault("/note", "required", "A refusal needs its reason.")
        raise Invalid("A refusal needs its reason.", faults=[fault])


@dataclass(frozen=True, slots=True)
class Read:
    """A page of alerts.

    Attributes:
        page: the alerts' ledger records.
        holding: the ids of the alerts on the page that are open, each with whether its entry is sealed.
    """

    page: Page
    holding: dict[str, bool]

    @property
    def records(self) -> list[Record]:
        """The alerts' records, by sequence."""
        return self.page.records

    @property
    def head(self) -> Head:
        """The ledger's head when the page was read."""
        return self.page.head

    @property
    def more(self) -> bool:
        """Whether there are further alerts after the page."""
        return self.page.more


async def read_alerts(reader: Reader, cursor: str | None, limit: int, restart: str) -> Read:
    """Return at most `limit` alerts after a cursor (None: from the ledger's first record), by sequence.

    `restart` is the path at which a reader with an invalid cursor restarts; the problem document contains it.

    Raises:
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
    """
    page = await read_records(reader, cursor, limit, restart)
    return Read(page, await still_holding(reader, page.records))


async def list_without_acknowledgement(reader: Reader, alert: Alert) -> list[str]:
    """Return the codes of an alert's recipients that have not acknowledged it, sorted.

    Those that refused it are among them.
    """
    return [each.code for each in await list_reach(reader, alert) if each.acknowledged_at is None]


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
