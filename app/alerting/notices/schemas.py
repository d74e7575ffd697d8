"""Response bodies of notices."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from app.alerting.notices.domain import TermName
from app.alerting.notices.names import MEANINGS, NoticeName
from app.register.entries.domain import EndedReason
from app.register.entries.law.deadlines import DeadlineName
from app.web.wire import Moment, WireOut


class NoticeOut(WireOut):
    """A notice to officers, the same for all its recipients.

    A reader sees gaps between the numbers, which are notices for others. A notice contains no personal data.
    """

    number: int
    """The notice's number."""
    id: str
    """The notice's id."""
    name: Annotated[
        NoticeName,
        Field(description=" ".join(f"`{name}`: {meaning}." for name, meaning in MEANINGS.items())),
    ]
    at: Annotated[Moment, Field(description="When the notice was written.")]
    effective_at: Annotated[
        Moment, Field(description="When the fact became true, which may be long before the notice.")
    ]
    due_at: Annotated[
        Moment | None, Field(description="Time limit for the act that the notice is about; null without one.")
    ]
    entry_id: str | None
    """Id of the entry that the notice is about; null if it is about none."""
    alert_id: str | None
    """Id of the alert that the notice is about; null if it is about none."""
    request_id: Annotated[
        str | None,
        Field(description="Id of the correction request that the notice is about; null if it is about none."),
    ]
    agency: str | None
    """Code of the agency concerned, mostly the entry's owner; of `own_name_searched` and `sealed_entry_met` the
    client's agency. Null without one."""
    deadline: Annotated[
        DeadlineName | TermName | None,
        Field(description="Of `due_soon`, `overdue`, `unacknowledged` and `hit_unresolved`: which deadline."),
    ]
    ends_on: Annotated[
        date | None, Field(description="Of `ends_soon` and `pending_undecided`: the measure's last day.")
    ]
    days_left: Annotated[
        int | None, Field(description="Of `ends_soon`: days from the day of `effective_at` to the last day.")
    ]
    urgent_day: Annotated[
        int | None,
        Field(description="Of `ends_soon` for an urgent entry: number of the day among its last twenty."),
    ]
    reason: Annotated[
        EndedReason | Literal["rejected", "gone", "failing"] | None,
        Field(
            description="Of `ended` and `pending_ended`: the entry's `ended_reason`, or `rejected`. Of "
            "`webhook_disabled`: `gone` after a 410, or `failing`."
        ),
    ]
    checkpoints: Annotated[
        list[str] | None,
        Field(
            description="Codes of checkpoints. Of `unacknowledged`: where nobody has acknowledged. Of `checkpoints_…`, "
            "`channel_failed` and `escalation_changed`: which are concerned. Of a hit or a check: where it was."
        ),
    ]
    hit_id: Annotated[str | None, Field(description="Of notices about a hit: its id.")]
    outcome: Annotated[
        Literal["clear", "refer", "refuse", "confirmed", "not_same_person"] | None,
        Field(
            description="Of `hit`, `hit_unresolved`, `crossed_before`: what the check answered. Of `hit_resolved`: "
            "`confirmed` or `not_same_person`."
        ),
    ]
    clearance_id: Annotated[
        str | None, Field(description="Of `hit_resolved`: the clearance that waits for a second person.")
    ]
    check_id: Annotated[str | None, Field(description="Of `crossed_before`: the check.")]
    direction: Annotated[
        Literal["exit", "entry"] | None, Field(description="Of `crossed_before`: where the person was going.")
    ]
    level: Annotated[
        Literal["exact", "probable", "possible"] | None,
        Field(description="Of `crossed_before`: how sure it is that it was the person."),
    ]
    amendment_id: Annotated[
        str | None,
        Field(
            description="Of `overdue`: the amendment, or other body's letter, that it is about. Of `judgment_filed`, "
            "`revocation_refused` and `amendment_refused`: the amendment. Of `pending_undecided`: the extension that "
            "waits; null where it is a formal entry."
        ),
    ]
    objection_id: Annotated[str | None, Field(description="Of `overdue`: the objection that it is about.")]
    client_id: Annotated[
        str | None,
        Field(
            description="Of `own_name_searched`, `sealed_entry_met`, `change_proposed` and `change_confirmed`: which "
            "account. Of `webhook_failing` and `webhook_disabled`: whose endpoint it is."
        ),
    ]
    change_id: Annotated[
        str | None,
        Field(
            description="Of `change_proposed` and `change_confirmed`: the change, see `GET /v1/pending-changes`."
        ),
    ]
    channel: Annotated[str | None, Field(description="Of `channel_failed`: by which channel.")]
    endpoint_id: Annotated[
        str | None, Field(description="Of `webhook_failing` and `webhook_disabled`: the endpoint.")
    ]


class NoticeHeartbeatOut(WireOut):
    """The number of the last notice, sent as a heartbeat."""

    head: int
    """Number of the last notice, for any officer."""
    at: Moment
    """When the heartbeat was sent."""


class NoticeFrameOut(WireOut):
    """A notice on the stream."""

    event: Literal["notice"]
    """The event's name."""
    id: str
    """The cursor after this notice: send it as `Last-Event-ID` to resume there."""
    data: NoticeOut
    """The notice."""


class NoticeHeartbeatFrameOut(WireOut):
    """A heartbeat on the stream of notices."""

    event: Literal["heartbeat"]
    """The event's name."""
    id: str
    """The cursor after the last event of this stream: send it as `Last-Event-ID` to resume there."""
    data: NoticeHeartbeatOut
    """The last notice's number."""


NoticeEvent = Annotated[NoticeFrameOut | NoticeHeartbeatFrameOut, Field(discriminator="event")]
"""An event of the stream: its fields, with `data` read as JSON."""


class NoticesOut(WireOut):
    """The notices after a cursor, in order, and the next cursor."""

    items: list[NoticeOut]
    """The notices, in order."""
    cursor: str
    """The cursor for the next request: send it as `after`; the stream accepts it too."""
    head: int
    """Number of the last notice, for any officer."""
    more: bool
    """Whether further notices exist already."""
