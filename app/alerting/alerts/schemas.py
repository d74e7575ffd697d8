"""Request and response bodies of urgent entries and alerts (API section 4)."""

from datetime import date
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import Field

from app.alerting.alerts.domain import AlertKind, ReceiptLevel
from app.alerting.alerts.service import Issued
from app.register.entries.domain import Entry, Measure
from app.register.entries.person_schemas import Sex
from app.register.entries.schemas_out import BreadthOut, EntryOut, WarningOut
from app.register.entries.subjects import Citizenship
from app.web.wire import Code, Line, Moment, MomentText, Prose, WireIn, WireOut


class IssuedOut(WireOut):
    """The first alert of a family, or a drill, as its issuer sees it."""

    id: str
    """The alert's id."""
    sequence: int
    """The alert's number in the ledger."""
    kind: AlertKind
    """`raise`, or `exercise` for a drill."""
    recipients: int
    """Number of checkpoints that the alert is sent to."""
    connected: int
    """Number of these checkpoints that are connected now."""
    expires_at: Moment
    """When the alert expires, unless it is cancelled before."""

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """Convert an issued alert to the API's model."""
        return cls(
            id=issued.alert.id,
            sequence=issued.sequence,
            kind=issued.alert.kind,
            recipients=issued.recipients,
            connected=issued.connected,
            expires_at=issued.alert.expires_at,
        )


class UrgentEntryOut(WireOut):
    """An urgent entry and its alert; the alert is null while a countersignature is required first."""

    entry: EntryOut
    """The entry."""
    alert: IssuedOut | None
    """The alert; null while a countersignature is required first."""


class UrgentPreviewOut(WireOut):
    """An urgent entry as it would be stored if it were filed; nothing was filed."""

    state: Annotated[
        Literal["provisional", "submitted"],
        Field(
            description="`provisional`: it would hold at once, and every checkpoint would be alerted; `submitted`: "
            "only once a duty officer has countersigned it."
        ),
    ]
    starts_on: date
    """First legal day of the measure."""
    ends_on: date | None
    """Last legal day of the measure: its twentieth day, or the last day of the lapsed request that it repeats."""
    warnings: list[WarningOut]
    """Warnings: content that would be accepted but should be examined."""
    breadth: BreadthOut | None
    """How many travellers of the last 30 days the entry would have stopped; null where nothing can be counted."""

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Convert a preview of an entry that was not filed to the API's model."""
        return cls.model_validate(
            {
                "state": entry.state.value,
                "starts_on": entry.starts_on,
                "ends_on": entry.ends_on,
                "warnings": msgspec.to_builtins(entry.warnings),
                "breadth": entry.breadth and BreadthOut.of(entry.breadth),
            }
        )


class DrillIn(WireIn):
    """A drill to call: an alert about nobody, with its message and the checkpoints that get it."""

    kind: Literal["exercise"]
    """Always `exercise`, a drill."""
    message: Annotated[Prose, Field(max_length=1000)]
    """The message that counters show."""
    checkpoints: Annotated[list[Code], Field(min_length=1, max_length=500)] | None = None
    """Codes of the checkpoints that take part; all of them without it."""


class ReceiptIn(WireIn):
    """A checkpoint's receipt of an alert: received, acknowledged, or refused with the reason."""

    level: ReceiptLevel
    """`received`: the machine has it; `acknowledged`: a person has seen it; `refused`: it can't be acted on."""
    officer_reference: Line | None = None
    """The officer who acknowledged it, by the checkpoint's own name or number."""
    note: Prose | None = None
    """A note about it; required for `refused`, with the reason."""


class ReceiptOut(WireOut):
    """A receipt as it was stored."""

    alert_id: str
    """Id of the alert."""
    level: ReceiptLevel
    at: Moment
    """When this client's first receipt of this level was stored."""


class AlertContactOut(WireOut):
    """The agency and the telephone number that a counter calls about an alert."""

    agency: str
    """Code of the agency to call."""
    phone: str | None
    """Its telephone; null while the register has none."""


class AlertEntryOut(WireOut):
    """The person of an alert; members that the reader may not see are null or empty.

    If the entry is sealed, names, sex, birth, nationalities, documents and photo are hidden. If the alert had ended
    when it was read, only `id` and `version` are shown. An autogate is shown only `id`, `version`, `measure`,
    `documents`, `in_force_until` and `pending_until`.
    """

    id: str
    """Id of the entry."""
    version: int
    """Version of the entry when the alert was issued."""
    measure: Measure | None
    """`prevention`: may not leave; `deterrence`: may not enter."""
    citizenship: Citizenship | None
    """`WNI`: Indonesian; `WNA`: foreigner."""
    full_name: str | None
    """The person's name."""
    aliases: list[str]
    """The person's other names."""
    sex: Sex | None
    """The person's sex."""
    birth: dict[str, Any] | None
    """The person's birth: a `date` as precise as it is known, an `age` `as_of` a day, or a span `from` `to`."""
    nationalities: list[str]
    """ICAO 9303 codes of the person's nationalities."""
    documents: list[dict[str, Any]]
    """The person's documents, each with `type`, `number` and `issuing_state`."""
    photo: str | None
    """Path of the photo, readable while the alert holds; null without one."""
    in_force_until: MomentText | None
    """Last instant of the measure; null for life."""
    pending_until: Annotated[
        MomentText | None,
        Field(
            description="The period is over and papers that arrived in time are undecided: until this instant the "
            "person is referred, never refused."
        ),
    ] = None  # alerts of earlier releases do not contain it


class AlertOut(WireOut):
    """An alert as checkpoints get it."""

    id: str
    """The alert's id."""
    sequence: int
    """The alert's number in the ledger; there are other records between two alerts."""
    previous_sequence: int | None
    """Number of the alert before this one; null for the first. By it a checkpoint sees that it missed one."""
    kind: AlertKind
    """`raise`: a new hold; `update`: it has changed; `cancel`: it is over; `exercise`: a drill about nobody."""
    refers_to: str | None
    """Id of the family's first alert, which this alert updates or cancels; null on the first alert itself. The alerts
    about a formal entry continue the family of its urgent entry."""
    issued_at: MomentText
    """When it was issued."""
    expires_at: MomentText
    """When it expires, unless it is cancelled before."""
    urgency: Literal["immediate"]
    """How urgently it is to be handled."""
    message: str
    """The message that the counter shows."""
    action: Literal["refer_to_supervisor", "refuse_exit", "refuse_entry", "release"] | None
    """What the counter does with the person; null for a drill."""
    direction: Literal["exit", "entry"] | None
    """In which direction the person is held; null for a drill."""
    acknowledge_by: MomentText
    """Until when a person at each checkpoint is to have acknowledged it."""
    chase: list[str]
    """Codes of the checkpoints to call first if nobody acknowledges the alert."""
    entry: AlertEntryOut | None
    """The entry that the alert is about; null for a drill."""
    contact: AlertContactOut | None
    """The contact to call; null for a drill and for autogates."""


class AlertHeartbeatOut(WireOut):
    """The numbers of the ledger's last record and last alert, by which a checkpoint sees that it missed an alert."""

    head: int
    """Sequence of the ledger's last record."""
    last_alert: int
    """Sequence of the last alert; 0 before the first. A client that has not got this alert has missed it."""
    at: MomentText
    """When the heartbeat was sent."""
    degraded: bool
    """Whether the ledger could not be read lately, so that the numbers may be old."""


class AlertFrameOut(WireOut):
    """An event `alert` on the stream."""

    event: Literal["alert"]
    """The event's name."""
    id: str
    """The cursor after this alert: send it as `Last-Event-ID` to resume there."""
    data: AlertOut
    """The alert."""


class AlertHeartbeatFrameOut(WireOut):
    """An event `heartbeat` on the stream of alerts."""

    event: Literal["heartbeat"]
    """The event's name."""
    id: str
    """The cursor after the last event of this stream: send it as `Last-Event-ID` to resume there."""
    data: AlertHeartbeatOut
    """The ledger's last numbers."""


AlertEvent = Annotated[AlertFrameOut | AlertHeartbeatFrameOut, Field(discriminator="event")]
"""An event of the stream: its fields, with `data` read as JSON."""


class AlertsOut(WireOut):
    """The alerts after a cursor, in order, and the next cursor."""

    items: list[AlertOut]
    """The alerts, in the ledger's order."""
    cursor: str
    """The cursor for the next request: send it as `after`; the stream accepts it too."""
    last_alert: int
    """Sequence of the ledger's last alert; 0 before the first."""
    head: int
    """Sequence of the ledger's last record."""
    more: bool
    """Whether further alerts exist already."""
