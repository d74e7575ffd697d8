"""Request and response bodies of manifests (API section 5)."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema

from app.border.checks.schemas import AskedIn
from app.border.manifests.domain import Item, Manifest, Status
from app.border.manifests.journeys import FIRST_YEAR, LAST_YEAR
from app.identity.lookalikes import plain
from app.ledger.domain import Head
from app.web.wire import Code, LegalDay, Line, Moment, MomentText, Reference, WireIn, WireOut, moment

Departure = Annotated[
    Moment,
    Field(ge=datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), lt=datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)),
    WithJsonSchema({"type": "string", "format": "date-time"}),  # JSON Schema cannot express the bounds
]
"""A time of departure, in UTC from 1970 to 2199."""


Flight = Annotated[Reference, Field(max_length=35), AfterValidator(lambda text: plain(text).text)]
"""A flight's designator. Letters of other scripts that look like A to Z are replaced by these."""


class PassengerIn(AskedIn):
    """A passenger: at least a zone, a document number, a NIK, or a name with a birth date.

    All given data are taken as those of one passenger. If a birth date contradicts an entry, the passenger is not
    refused because of this entry, even if the document number is equal.
    """

    reference: Annotated[
        Line, Field(max_length=70, description="The sender's own reference; the answer repeats it.")
    ]


class ManifestIn(WireIn):
    """The passengers of one journey across the border."""

    flight: Flight
    """Number of the flight or voyage."""
    direction: Literal["exit", "entry"]
    """Whether the passengers leave Indonesia (`exit`) or arrive (`entry`)."""
    departs_at: Annotated[
        Departure,
        Field(
            description="Until then the answers follow the register, for at most 30 days, or fewer if the deployment "
            "erases questions earlier; `watched_until` is the end."
        ),
    ]
    origin: Annotated[
        Code,
        Field(
            alias="from",
            max_length=32,
            description="Code of the place of departure. In Indonesia it is a checkpoint's, or an airport's UN/LOCODE.",
        ),
    ]
    destination: Annotated[
        Code,
        Field(
            alias="to",
            max_length=32,
            description="Code of the place of arrival. In Indonesia it is a checkpoint's, or an airport's UN/LOCODE.",
        ),
    ]
    passengers: Annotated[list[PassengerIn], Field(max_length=1000)]
    """The passengers; each is checked independently of the others."""


class DeclarationIn(WireIn):
    """The passengers of declared arrivals at one port on one day, without a flight."""

    port: Annotated[Code, Field(max_length=32, description="Code of the checkpoint at which they arrive.")]
    arrives_on: Annotated[
        LegalDay,
        Field(
            description="The day of arrival in the port's time: from yesterday to 30 days ahead, or fewer days if the "
            "deployment erases questions earlier. The answers follow the register until 72 hours after the day begins."
        ),
    ]
    passengers: Annotated[list[PassengerIn], Field(max_length=1000)]
    """The passengers; each is checked as entering, independently of the others."""


class ArrivalIn(WireIn):
    """The members of a declaration without `passengers`, which are read one by one, so that one may be faulty."""

    port: Annotated[Code, Field(max_length=32)]
    arrives_on: LegalDay


class JourneyIn(WireIn):
    """The members of a manifest without `passengers`, which are read one by one, so that one may be faulty."""

    flight: Flight
    direction: Literal["exit", "entry"]
    departs_at: Departure
    origin: Annotated[Code, Field(alias="from", max_length=32)]
    destination: Annotated[Code, Field(alias="to", max_length=32)]


class ManifestItemOut(WireOut):
    """The present answer about one passenger."""

    reference: str | None
    """The sender's own reference; null where the row had none that can be read."""
    status: Annotated[
        Status | None,
        Field(
            description="What the carrier does. `board`: the passenger may board. `contact`: the carrier asks "
            "Immigration first. `do_not_board`: the passenger may not board. Null if the row could not be checked: "
            "then `problem` says why, and the passenger is not cleared."
        ),
    ]
    outcome: Annotated[
        Literal["clear", "refer", "refuse"] | None,
        Field(
            description="The outcome of the check. Only a checkpoint's manifest client sees it; null for a carrier."
        ),
    ]
    action: Annotated[
        Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"] | None,
        Field(description="The action that the counter will take; null for a carrier."),
    ]
    hit_id: Annotated[
        str | None,
        Field(description="The hit that the check opened or joined; null without a hit, and for a carrier."),
    ]
    changed_at: Annotated[MomentText, Field(description="When this answer was first given.")]
    problem: dict[str, Any] | None
    """Why the row could not be checked, as a problem document; null if it was checked."""


class ManifestHeartbeatOut(WireOut):
    """A sign that the manifest is still watched."""

    at: Moment
    """When it was sent."""


class ManifestClosedOut(WireOut):
    """An empty object: the event itself means that the manifest is no longer watched."""


class ManifestChangeFrameOut(WireOut):
    """An answer that has changed."""

    event: Literal["change"]
    """The event's name."""
    id: str
    """The cursor after this change: send it as `Last-Event-ID` to resume there."""
    data: ManifestItemOut
    """The passenger's new answer."""


class ManifestHeartbeatFrameOut(WireOut):
    """A heartbeat on the stream of a manifest."""

    event: Literal["heartbeat"]
    """The event's name."""
    id: str
    """The cursor after the last event of this stream: send it as `Last-Event-ID` to resume there."""
    data: ManifestHeartbeatOut
    """The manifest is still watched."""


class ManifestClosedFrameOut(WireOut):
    """The end of the stream, when the watch ends: at the departure, or 72 hours after the day of arrival begins."""

    event: Literal["closed"]
    """The event's name."""
    data: ManifestClosedOut
    """An empty object."""


ManifestEvent = Annotated[
    ManifestChangeFrameOut | ManifestHeartbeatFrameOut | ManifestClosedFrameOut,
    Field(discriminator="event"),
]
"""An event of the stream: its fields, with `data` read as JSON."""


class ManifestWarningOut(WireOut):
    """A warning about an inconsistency, or a value that was not read literally. The manifest is accepted."""

    code: str
    """A stable code that a program can act on."""
    pointer: str
    """JSON pointer to the member that the warning is about; empty for the whole manifest."""
    detail: str
    """A sentence for a person."""


class ManifestOut(WireOut):
    """A manifest with the answer for each passenger, in the order of the list."""

    id: str
    """The manifest's id."""
    flight: Annotated[str, Field(description="As sent; empty where the list has none.")]
    direction: Literal["exit", "entry"]
    departs_at: Annotated[
        MomentText | None,
        Field(
            description="As sent. A PAXLST has local time; if the time zone of the place is not known, this is the "
            "latest instant that the local time can mean. Null if no departure is known."
        ),
    ]
    port: Annotated[str | None, Field(description="The port of declared arrivals; null for a journey.")]
    arrives_on: Annotated[
        date | None, Field(description="The day of declared arrivals in the port's time; null for a journey.")
    ]
    origin: Annotated[str, Field(alias="from", description="As sent; empty where the list has none.")]
    destination: Annotated[str, Field(alias="to")]
    watched_until: Annotated[
        MomentText, Field(description="Until then changes of an answer are sent on the stream.")
    ]
    closed_at: Annotated[
        MomentText | None, Field(description="Since when it is no longer watched; null while it is watched.")
    ]
    cursor: Annotated[
        str, Field(description="Send it as `Last-Event-ID`: then the stream continues after this answer.")
    ]
    warnings: list[ManifestWarningOut]
    """Contradictions in a PAXLST, numbers and names that were not read literally, and `checkpoint_unknown`: the place
    in Indonesia is no active checkpoint, so that another one handles the journey."""
    items: list[ManifestItemOut]
    """The answers, in the order of the list."""

    @classmethod
    def of(cls, manifest: Manifest, items: list[Item], ledger: Head) -> Self:
        """Convert a manifest to the API's model; `ledger` is the ledger's head at the time of reading."""
        return cls.model_validate(
            {
                "id": manifest.id,
                "flight": manifest.flight,
                "direction": manifest.direction,
                "departs_at": moment(manifest.departs_at),
                "port": manifest.place if manifest.arrives_on else None,
                "arrives_on": manifest.arrives_on,
                "from": manifest.origin,
                "to": manifest.destination,
                "watched_until": moment(manifest.watched_until),
                "closed_at": moment(manifest.closed_at),
                "cursor": manifest.changes_head(ledger).cursor(),
                "warnings": [
                    {"code": each.code, "pointer": each.pointer, "detail": each.detail}
                    for each in manifest.warnings
                ],
                "items": [item.shown(manifest.kind) for item in items],
            }
        )
