"""The wire of access."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool

from app.access.domain import Agency, Checkpoint, Client, Instrument, Key, Kind, Office, Role, Standing
from app.web.wire import Code, Line, Moment, PersonNumber, WireIn, WireOut


class AgencyIn(WireIn):
    """An agency as an admin wants it."""

    parent: Code | None = None
    name_id: Line
    name_en: Line
    basis: Line
    legal_forms: Annotated[list[Instrument], Field(min_length=1, max_length=5)]
    article_required: StrictBool = False
    phone: Line | None = None
    active: StrictBool = True


class AgencyOut(WireOut):
    """A body that may order or request a measure."""

    code: str
    parent: str | None
    name_id: str
    name_en: str
    basis: str
    legal_forms: list[str]
    article_required: bool
    phone: str | None
    active: bool

    @classmethod
    def of(cls, agency: Agency) -> Self:
        """The agency on the wire."""
        values = {name: getattr(agency, name) for name in cls.model_fields}
        return cls(**{**values, "legal_forms": list(agency.legal_forms)})


class CheckpointIn(WireIn):
    """A checkpoint as an admin wants it."""

    name: Line
    mode: Literal["air", "land", "sea", "sea-special"]
    city: Line | None = None
    province: Line | None = None
    zone: Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
    active: StrictBool = True


class CheckpointOut(WireOut):
    """A place where people are examined (TPI)."""

    code: str
    name: str
    mode: str
    city: str | None
    province: str | None
    zone: str
    active: bool

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """The checkpoint on the wire."""
        return cls(**{name: getattr(checkpoint, name) for name in cls.model_fields})


class OfficeIn(WireIn):
    """An office as an admin wants it."""

    agency: Code
    name: Line
    city: Line | None = None
    province: Line | None = None
    active: StrictBool = True


class OfficeOut(WireOut):
    """An office of an agency; what its supervision team sees lies in its province."""

    code: str
    agency: str
    name: str
    city: str | None
    province: str | None
    active: bool

    @classmethod
    def of(cls, office: Office) -> Self:
        """The office on the wire."""
        return cls(**{name: getattr(office, name) for name in cls.model_fields})


class ClientIn(WireIn):
    """A client to be."""

    name: Line
    roles: Annotated[list[Role], Field(min_length=1, max_length=10)]
    kind: Kind | None = None
    agency: Code | None = None
    office: Code | None = None
    checkpoint: Code | None = None
    person: PersonNumber | None = None
    networks: Annotated[list[Line], Field(max_length=50)] = []


class ClientOut(WireOut):
    """A client; its keys are never shown here."""

    id: str
    name: str
    roles: list[Role]
    kind: Kind | None
    agency: str | None
    office: str | None
    checkpoint: str | None
    person: str | None
    networks: list[str]
    state: Standing
    created_at: Moment
    created_by: str | None
    confirmed_by: str | None

    @classmethod
    def of(cls, client: Client) -> Self:
        """The client on the wire."""
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
    """A key to be."""

    expires_at: Moment | None = None
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
    state: Standing
    created_at: Moment
    expires_at: Moment
    gateway: bool

    @classmethod
    def of(cls, key: Key) -> Self:
        """The key on the wire."""
        return cls(**_key_values(key))


class NewKeyOut(KeyOut):
    """A key at its birth: the only time that its text is shown."""

    key: str

    @classmethod
    def shown(cls, key: Key, text: str) -> Self:
        """The key on the wire, with its text."""
        return cls(**_key_values(key), key=text)


class KeysOut(WireOut):
    """A client's keys, oldest first."""

    items: list[KeyOut]


class AuditOut(WireOut):
    """An act in the audit trail."""

    id: str
    at: Moment
    client_id: str
    person: str | None
    act: str
    object: str | None
    detail: dict[str, Any]
    request_id: str | None


def _key_values(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "state": key.standing,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "gateway": key.gateway,
    }


def expiry(body: KeyIn | None) -> datetime | None:
    """When the wanted key ends; None for the default."""
    return body.expires_at if body else None
