"""The JSON models of agencies, checkpoints, offices, clients, keys and the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool

from app.access.domain import Agency, Checkpoint, Client, Instrument, Key, Kind, Office, Role, Standing
from app.web.wire import Code, Line, Moment, PersonNumber, WireIn, WireOut


class AgencyIn(WireIn):
    """The values of an agency, as an admin sets them."""

    parent: Code | None = None
    """Code of the agency that this one belongs to; a parent does not own the entries of its child."""
    name_id: Line
    """The agency's name in Indonesian."""
    name_en: Line
    """The agency's name in English."""
    basis: Line
    """The law on which the agency orders or requests measures."""
    legal_forms: Annotated[list[Instrument], Field(min_length=1, max_length=5)]
    """The legal forms in which the agency may order or request a measure (UU 6/2011 art. 91(2))."""
    article_required: StrictBool = False
    """Whether each of the agency's requests must name the article of the law that empowers it, in `basis.law`."""
    phone: Line | None = None
    """The telephone number that checkpoints call about the agency's entries."""
    active: StrictBool = True
    """Whether the agency may make new requests; its existing entries stay in force in any case."""


class AgencyOut(WireOut):
    """A body that may order or request a measure."""

    code: str
    """The agency's code."""
    parent: str | None
    name_id: str
    name_en: str
    basis: str
    legal_forms: list[Instrument]
    article_required: bool
    phone: str | None
    active: bool

    @classmethod
    def of(cls, agency: Agency) -> Self:
        """Convert an agency to the API's model."""
        values = {name: getattr(agency, name) for name in cls.model_fields}
        return cls(**{**values, "legal_forms": list(agency.legal_forms)})


class CheckpointIn(WireIn):
    """The values of a checkpoint, as an admin sets them."""

    name: Line
    """The checkpoint's name."""
    mode: Literal["air", "land", "sea", "sea-special"]
    """How travellers cross there: by air, land or sea."""
    city: Line | None = None
    """The city in which it is."""
    province: Line | None = None
    """The province in which it is."""
    zone: Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
    """Its time zone."""
    active: StrictBool = True
    """Whether people are examined there; an inactive checkpoint is sent no alerts."""


class CheckpointOut(WireOut):
    """A place where people are examined (TPI)."""

    code: str
    """The checkpoint's code."""
    name: str
    mode: Literal["air", "land", "sea", "sea-special"]
    city: str | None
    province: str | None
    zone: Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
    active: bool

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """Convert a checkpoint to the API's model."""
        return cls(**{name: getattr(checkpoint, name) for name in cls.model_fields})


class OfficeIn(WireIn):
    """The values of an office, as an admin sets them."""

    agency: Code
    """Code of the agency that it belongs to."""
    name: Line
    """The office's name."""
    city: Line | None = None
    """The city in which it is."""
    province: Line | None = None
    """The province in which it is."""
    active: StrictBool = True
    """Whether new accounts may belong to the office; existing ones work on in any case."""


class OfficeOut(WireOut):
    """An office of an agency; its supervision team sees its province only."""

    code: str
    """The office's code."""
    agency: str
    name: str
    city: str | None
    province: str | None
    active: bool

    @classmethod
    def of(cls, office: Office) -> Self:
        """Convert an office to the API's model."""
        return cls(**{name: getattr(office, name) for name in cls.model_fields})


class ClientIn(WireIn):
    """A client to register."""

    name: Line
    """The client's name, for people. A person's client has the holder's full name: entries about somebody of this name
    are hidden from the holder (R61)."""
    roles: Annotated[list[Role], Field(min_length=1, max_length=10)]
    """What it may do. Roles of persons and of machines are not combined, and `admin` with no other."""
    kind: Kind | None = None
    """The kind of a checkpoint's client; it determines which data the answers show. Required for the role `checkpoint`,
    refused for others."""
    agency: Code | None = None
    """Code of the agency it belongs to; required with an office, and for every role but `admin`, `auditor`,
    `supervisor`, `checkpoint` and `carrier`."""
    office: Code | None = None
    """Code of its office, an active one of its agency; required for `timpora`. Immigration's own entries are approved
    by another office than the one that filed them."""
    checkpoint: Code | None = None
    """Code of its checkpoint; required for checkpoints and supervisors, refused for others."""
    person: PersonNumber | None = None
    """Employee number (NIP, NRP) of the person; required for roles of persons, refused for machines."""
    networks: Annotated[list[Line], Field(max_length=50)] = []
    """Networks (CIDR) from which its keys work; anywhere if empty."""


class ClientOut(WireOut):
    """A client; its keys are never shown here."""

    id: str
    """The client's id."""
    name: str
    roles: list[Role]
    kind: Kind | None
    agency: str | None
    office: str | None
    checkpoint: str | None
    person: str | None
    networks: list[str]
    state: Standing
    """Whether the client works, waits for a second admin, is suspended or is revoked."""
    created_at: Moment
    """When the client was registered."""
    created_by: str | None
    """Id of the client of the admin that registered it; `system` for the command line."""
    confirmed_by: str | None
    """Id of the client of the second admin that confirmed it; null before, and if none was needed."""

    @classmethod
    def of(cls, client: Client) -> Self:
        """Convert a client to the API's model."""
        values = {name: getattr(client, name) for name in cls.model_fields if name != "state"}
        return cls(
            **{
                **values,
                "roles": sorted(client.roles),
                "networks": list(client.networks),
                "state": client.standing,
            }
        )


class KeyIn(WireIn):
    """A key to issue."""

    expires_at: Moment | None = None
    """When the key ends; null for the longest lifetime that the deployment allows."""
    gateway: Annotated[
        StrictBool,
        Field(
            description="Whether many listen behind this key: it may then open as many streams as one process of the "
            "service takes."
        ),
    ] = False


class KeyOut(WireOut):
    """A key, without its secret."""

    id: str
    """The key's id; it is no secret."""
    state: Standing
    """Whether the key works, waits for a second admin, is suspended or is revoked."""
    created_at: Moment
    """When the key was issued."""
    expires_at: Moment
    """When the key ends."""
    gateway: bool
    """Whether a gateway serves many listeners with the key, so that it may open as many streams as a process takes."""

    @classmethod
    def of(cls, key: Key) -> Self:
        """Convert a key to the API's model, without its text."""
        return cls(**_key_values(key))


class NewKeyOut(KeyOut):
    """A new key, with its text, which no other answer shows."""

    key: str
    """The key: send it as `Authorization: Bearer …`. It is shown in this answer only, and the register stores its hash
    only."""

    @classmethod
    def shown(cls, key: Key, text: str) -> Self:
        """Convert a new key to the API's model, with its text."""
        return cls(**_key_values(key), key=text)


class KeysOut(WireOut):
    """A client's keys, oldest first."""

    items: list[KeyOut]
    """The keys."""


class AuditOut(WireOut):
    """An act in the audit trail."""

    id: str
    """The act's id."""
    at: Moment
    """When it was done."""
    client_id: str
    """Id of the client that did it; `system` for the command line and the register itself."""
    person: str | None
    """Employee number of the person who did it; null for a machine, the command line and the register itself."""
    act: str
    """The name of the act."""
    object: str | None
    """Id or code of the object of the act; null for an act without one."""
    detail: dict[str, Any]
    """Further data about the act; never the name of an entry's subject."""
    request_id: str | None
    """`X-Request-Id` of the request; null at the command line."""


def _key_values(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "state": key.standing,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "gateway": key.gateway,
    }


def expiry(body: KeyIn | None) -> datetime | None:
    """Return when the requested key ends; None for the default life, as in a request without a body."""
    return body.expires_at if body else None
