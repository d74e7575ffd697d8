"""The JSON models of webhooks: endpoints and their deliveries, and the events that receivers get."""

from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from app.ledger.domain import RecordType
from app.sync.feed.records import RecordOut
from app.sync.webhooks.addresses import LONGEST_URL
from app.sync.webhooks.domain import (
    DEFAULT_OVERLAP_HOURS,
    LONGEST_OVERLAP_HOURS,
    Attempt,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Payload,
)
from app.sync.webhooks.service import Logged, Requested
from app.sync.webhooks.signing import Secrets
from app.web.wire import Code, Line, Moment, MomentText, WireIn, WireOut


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise PydanticCustomError("cidr", "This is no network in CIDR notation.") from None


def _once(given: list[Any]) -> list[Any]:
    if len(set(given)) < len(given):
        raise PydanticCustomError("repeated", "Each is named once.")
    return given


Url = Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
Events = Annotated[list[RecordType], Field(min_length=1, max_length=len(RecordType)), AfterValidator(_once)]
Networks = Annotated[list[Annotated[Line, AfterValidator(_network)]], Field(max_length=20)]


class EndpointChangeIn(WireIn):
    """The members of an endpoint that its owner may change."""

    url: Url
    """Where events are posted: https, and http only to the deployment's own networks. No user, no fragment."""
    events: Events
    """The types of records that are sent; to a checkpoint's endpoint alerts only."""
    payload: Payload = Payload.THIN
    """`thin`: the record's ids, and a link to it. `full`: the record as the feed shows it; only an admin may set it."""
    description: Line | None = None
    """What the endpoint is, in words."""
    networks: Networks = []
    """Networks in CIDR notation. The address of the URL's host must be in one of them; if empty, in any network that
    the deployment allows."""
    ordered: StrictBool = False
    """Whether a delivery about an entry waits until the earlier ones about this entry are delivered, given up or
    dropped."""
    state: EndpointState = EndpointState.ACTIVE
    """`disabled`: no event is sent; the events of that time are sent once the endpoint is active again."""

    def requested(self) -> Requested:
        """Return the requested properties as a domain object."""
        return Requested(
            url=self.url,
            events=tuple(kind.value for kind in self.events),
            payload=self.payload,
            description=self.description,
            networks=tuple(self.networks),
            ordered=self.ordered,
            state=self.state,
        )


class EndpointIn(EndpointChangeIn):
    """A new endpoint, with the client to which it belongs."""

    client_id: Code | None = None
    """Id of the client to which the endpoint belongs: an integrator, a checkpoint or an admin. Only what this client
    may see is sent. Only an admin may name another client than itself. Null: the caller."""


class EndpointOut(WireOut):
    """An endpoint of webhooks: its settings, and whether deliveries arrive."""

    id: Annotated[str, Field(description="The endpoint's id.")]
    client_id: Annotated[
        str, Field(description="Id of the client to which it belongs. Only what this client may see is sent.")
    ]
    url: Annotated[str, Field(description="Where events are posted.")]
    events: Annotated[list[RecordType], Field(description="The types of records that are sent.")]
    payload: Annotated[
        Payload,
        Field(description="`thin`: the record's ids and a link. `full`: the record as the feed shows it."),
    ]
    description: Annotated[str | None, Field(description="What the endpoint is, in words.")]
    networks: Annotated[
        list[str], Field(description="Networks in which its address must be; empty for any that is allowed.")
    ]
    ordered: Annotated[
        bool,
        Field(description="Whether a delivery about an entry waits for the earlier ones about this entry."),
    ]
    state: Annotated[EndpointState, Field(description="Whether deliveries are made and sent.")]
    disabled_reason: Annotated[
        DisabledReason | None,
        Field(
            description="Why it is disabled; null while it is active. `operator`: its owner or an admin disabled it. "
            "`gone`: the receiver answered 410. `failing`: every attempt failed for five days."
        ),
    ]
    public_key: Annotated[
        str, Field(description="The public key of the signatures `v1a`: `whpk_` and base64 of 32 bytes.")
    ]
    overlap_until: Annotated[
        Moment | None,
        Field(
            description="Until when the secrets before the last rotation sign too; null without such secrets."
        ),
    ]
    failures: Annotated[int, Field(description="Failed attempts since the last success.")]
    failing_since: Annotated[
        Moment | None, Field(description="When the first of these attempts was made; null without one.")
    ]
    succeeded_at: Annotated[
        Moment | None,
        Field(description="When the last successful attempt began; null before the first success."),
    ]
    replaying: Annotated[bool, Field(description="Whether a replay is running.")]
    created_at: Annotated[Moment, Field(description="When it was made.")]
    created_by: Annotated[str, Field(description="Id of the client that made it.")]
    updated_at: Annotated[Moment, Field(description="When it was last changed.")]

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """Convert an endpoint to the API's model."""
        return cls(**_members(endpoint))


class NewEndpointOut(EndpointOut):
    """An endpoint with its new secret, which only this answer shows."""

    state: EndpointState
    """Whether deliveries are made and sent."""
    secret: Annotated[
        str, Field(description="The secret of the signatures `v1`: `whsec_` and base64 of 32 bytes.")
    ]

    @classmethod
    def shown(cls, endpoint: Endpoint, made: Secrets) -> Self:
        """Convert an endpoint and its new secrets `made` to the API's model, which shows only the shared secret."""
        return cls(**_members(endpoint), secret=made.shared_text)


def _members(endpoint: Endpoint) -> dict[str, Any]:
    same = {name: getattr(endpoint, name) for name in EndpointOut.model_fields if hasattr(endpoint, name)}
    return {
        **same,
        "events": [RecordType(kind) for kind in endpoint.events],
        "networks": list(endpoint.networks),
        "overlap_until": endpoint.former_until,
        "replaying": endpoint.replay_until is not None,
    }


class AttemptOut(WireOut):
    """One attempt to deliver an event, and its result."""

    number: int
    """From 1, in the order of the delivery's attempts."""
    at: Moment
    """When the attempt began."""
    status: Annotated[int | None, Field(description="The status of the answer; null without one.")]
    milliseconds: int
    """How long the attempt took."""
    error: Annotated[str | None, Field(description="Why there was no answer; null with one.")]
    answer: Annotated[
        str | None, Field(description="The first 1024 bytes of the answer, without what looks like a secret.")
    ]

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Convert an attempt to the API's model."""
        return cls(**{name: getattr(attempt, name) for name in cls.model_fields})


class DeliveryOut(WireOut):
    """A delivery: an event for an endpoint, its state, and the results of its newest attempts."""

    id: str
    """The delivery's id."""
    endpoint_id: str
    """Id of the endpoint."""
    message_id: Annotated[
        str, Field(description="Id of the event, as `webhook-id`: the same for each attempt and each replay.")
    ]
    type: Annotated[str, Field(description="The event's type.")]
    sequence: Annotated[
        int | None, Field(description="Number of the record; null of an event about the endpoint.")
    ]
    entry_id: Annotated[str | None, Field(description="The entry that the record is about.")]
    alert_id: Annotated[str | None, Field(description="The alert, where the record is one.")]
    state: Annotated[
        DeliveryState,
        Field(
            description="`due`: waits for its next attempt, or is being sent. `exhausted`: given up, a dead letter. "
            "`dropped`: not needed any more, because the alert is over or was received by another way."
        ),
    ]
    attempts: int
    """Attempts so far."""
    due_at: Annotated[Moment | None, Field(description="When the next attempt is due; null without one.")]
    created_at: Annotated[Moment, Field(description="When it was made.")]
    finished_at: Annotated[Moment | None, Field(description="When it was taken, given up or dropped.")]
    log: Annotated[list[AttemptOut], Field(description="The newest attempts, at most ten, newest first.")]

    @classmethod
    def of(cls, logged: Logged) -> Self:
        """Convert a delivery with its attempts to the API's model."""
        delivery, attempts = logged
        names = cls.model_fields.keys() - {"log", "due_at"}
        return cls(
            **{name: getattr(delivery, name) for name in names},
            due_at=delivery.due_at if delivery.state is DeliveryState.DUE else None,
            log=[AttemptOut.of(each) for each in attempts],
        )


class RotationIn(WireIn):
    """The request to replace an endpoint's secrets."""

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_HOURS, strict=True)] = DEFAULT_OVERLAP_HOURS
    """For how many hours the present secrets sign beside the new ones; with 0 they stop at once."""


_Place = Annotated[
    Moment | Annotated[str, Field(min_length=1, max_length=100)], Field(union_mode="left_to_right")
]


class ReplayIn(WireIn):
    """The beginning and the end of the part of the ledger whose records are sent once more."""

    after: _Place
    """The cursor after which, or the time from which on, records are sent."""
    before: _Place | None = None
    """The cursor up to which, or the time before which, records are sent; by default the ledger's end."""


class ReplayOut(WireOut):
    """The replay that was begun: the endpoint, and the records that are sent once more."""

    endpoint_id: str
    """Id of the endpoint."""
    after: Annotated[int, Field(description="Sequence of the record after which the replay begins.")]
    until: Annotated[int, Field(description="Sequence of the replay's last record.")]


class ThinOut(WireOut):
    """A record without its content: its ids, and a link where the receiver reads the rest with its key."""

    sequence: int
    """The record's number."""
    type: RecordType
    """What happened."""
    at: MomentText
    """When the record was written."""
    entry_id: str | None
    """Id of the entry that the record is about; null if it is about none, as a drill or a seal."""
    alert_id: str | None
    """Id of the alert that the record is about; null if it is about none."""
    version: int | None
    """The entry's version after the record; for a clearance, the version that it covers; else null."""
    link: str
    """Path of this service at which the receiver reads the record with its key."""


class AboutEndpointOut(WireOut):
    """The data of an event about the endpoint itself: its id, and for `endpoint.recovered` its failures."""

    endpoint_id: str
    """Id of the endpoint."""
    failing_since: Annotated[
        MomentText | None,
        Field(description="Of `endpoint.recovered`: when the first failed attempt was made."),
    ]
    failures: Annotated[int | None, Field(description="Of `endpoint.recovered`: the number of failures.")]


class _EventOut(WireOut):
    """An event in the form of CloudEvents 1.0."""

    specversion: Literal["1.0"]
    """The version of CloudEvents."""
    id: str
    """The event's id, as `webhook-id`."""
    source: str
    """The ledger's origin, as `GET /v1/head` names it: the register's name and the epoch."""
    time: MomentText
    """When the record was written, or the event about the endpoint was made."""
    subject: str
    """Id of the alert, the entry or the endpoint that the event is about."""
    datacontenttype: Literal["application/json"]
    """The media type of `data`."""


class RecordEventOut(_EventOut):
    """An event of a webhook that sends a record of the ledger."""

    type: RecordType
    """What happened."""
    sequence: str
    """The record's number, with zeros before it, so that texts sort as numbers (CloudEvents extension `sequence`)."""
    data: ThinOut | RecordOut
    """The record, by its ids or as the feed shows it. In an alert for a checkpoint, `personal` is what the checkpoint
    may read of the alert, and `salt` is null."""


class EndpointEventOut(_EventOut):
    """An event of a webhook about the endpoint itself: a test, or that it works again."""

    type: Literal["endpoint.test", "endpoint.recovered"]
    """`endpoint.test`: asked for, or sent to a checkpoint that had no event for five minutes. `endpoint.recovered`:
    the first success after five failures or more."""
    sequence: None
    """Null: it is no record."""
    data: AboutEndpointOut
    """The endpoint's id; for `endpoint.recovered` also its failures."""
