"""The wire of alerts (contract section 4)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from app.alerts.domain import AlertKind, ReceiptLevel
from app.alerts.service import Coverage, Issued
from app.entries.answers import EntryOut
from app.web.wire import Code, Line, Moment, Prose, WireIn, WireOut


class IssuedOut(WireOut):
    """An alert as its issuer sees it."""

    id: str
    sequence: int
    kind: AlertKind
    recipients: int
    connected: int
    expires_at: Moment

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """The alert on the wire."""
        return cls(
            id=issued.alert.id,
            sequence=issued.sequence,
            kind=issued.alert.kind,
            recipients=issued.recipients,
            connected=issued.connected,
            expires_at=issued.alert.expires_at,
        )


class UrgentEntryOut(WireOut):
    """An urgent entry, and the alert that is on its way; null while a countersignature is demanded first."""

    entry: EntryOut
    alert: IssuedOut | None


class DrillIn(WireIn):
    """A drill."""

    kind: Literal["exercise"]
    message: Annotated[Prose, Field(max_length=1000)]
    checkpoints: Annotated[list[Code], Field(min_length=1, max_length=500)] | None = None


class ReceiptIn(WireIn):
    """A checkpoint's word about an alert."""

    level: ReceiptLevel
    officer_reference: Line | None = None
    note: Prose | None = None


class ReceiptOut(WireOut):
    """A receipt as it was stored."""

    alert_id: str
    level: ReceiptLevel
    at: Moment


class AlertContactOut(WireOut):
    """The contact to call."""

    agency: str
    phone: str | None


class AlertEntryOut(WireOut):
    """The person of an alert; every member that would tell more than the reader is told is null or empty.

    So it is for a sealed entry, for an alert that had ended when it was read (then only `id` and `version` are left),
    and for an autogate (which keeps `measure`, `documents` and the instants).
    """

    id: str
    version: int
    measure: str | None
    citizenship: str | None
    full_name: str | None
    aliases: list[str]
    sex: str | None
    birth: dict[str, Any] | None
    nationalities: list[str]
    documents: list[dict[str, Any]]
    photo: str | None
    in_force_until: str | None
    pending_until: Annotated[
        str | None,
        Field(
            description="The period is over and papers that arrived in time are undecided: until this instant the "
            "person is referred, never refused."
        ),
    ] = None  # alerts of former releases did not say it


class AlertOut(WireOut):
    """An alert as checkpoints get it."""

    id: str
    sequence: int
    previous_sequence: int | None
    kind: AlertKind
    refers_to: str | None
    issued_at: str
    expires_at: str
    urgency: str
    message: str
    action: str | None
    direction: str | None
    acknowledge_by: str
    chase: list[str]
    entry: AlertEntryOut | None
    contact: AlertContactOut | None


class AlertsOut(WireOut):
    """Alerts beyond a cursor."""

    items: list[AlertOut]
    cursor: str
    last_alert: int
    head: int
    more: bool


class ReachOut(WireOut):
    """One checkpoint's receipts."""

    code: str
    received_at: Moment | None
    acknowledged_at: Moment | None
    ms: float | None


class CoverageOut(WireOut):
    """How far an alert has come; counts checkpoints, not clients."""

    recipients: int
    connected: int
    received: int
    acknowledged: int
    refused: int
    unreached: list[str]
    p50_ms: float | None
    p99_ms: float | None
    checkpoints: list[ReachOut]

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """The coverage on the wire."""
        reach = coverage.reach
        return cls(
            recipients=coverage.recipients,
            connected=coverage.connected,
            received=sum(r.received_at is not None for r in reach),
            acknowledged=sum(r.acknowledged_at is not None for r in reach),
            refused=sum(r.refused_at is not None for r in reach),
            unreached=[r.code for r in reach if r.received_at is None],
            p50_ms=coverage.p50_ms,
            p99_ms=coverage.p99_ms,
            checkpoints=[
                ReachOut(
                    code=r.code,
                    received_at=r.received_at,
                    acknowledged_at=r.acknowledged_at,
                    ms=coverage.ms.get(r.code),
                )
                for r in reach
            ],
        )
