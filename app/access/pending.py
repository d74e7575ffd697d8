"""Changes that wait for a second admin (contract section 2); pure."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.access.domain import Agency, Checkpoint, Office

Place = Agency | Checkpoint | Office


class ChangeKind(StrEnum):
    """What a second admin is to confirm."""

    AGENCY = "agency_change"
    CHECKPOINT = "checkpoint_change"
    OFFICE = "office_change"
    REVOCATION = "admin_revocation"
    KEY_REVOCATION = "admin_key_revocation"


class ChangeState(StrEnum):
    """How far a change is.

    `dropped`: another change of the same thing was proposed or made, or the command line decided otherwise.
    """

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DROPPED = "dropped"


KIND_OF: dict[type[Place], ChangeKind] = {
    Agency: ChangeKind.AGENCY,
    Checkpoint: ChangeKind.CHECKPOINT,
    Office: ChangeKind.OFFICE,
}


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that an admin has proposed, and that another person confirms.

    Attributes:
        about: code of the place, or id of the admin's account or key.
        wanted: the place as it is to be, without its version; None of a revocation.
        proposed_person: number of the person who proposed it, in the form in which it is compared.
    """

    id: str
    kind: ChangeKind
    about: str
    wanted: dict[str, Any] | None
    state: ChangeState
    proposed_at: datetime
    proposed_by: str
    proposed_person: str | None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SecondAdminAsked:
    """An admin has proposed something that a second admin is to confirm, or one has confirmed it.

    Attributes:
        confirmed: whether it is confirmed.
        change_id: the change; None where it is an account or a key that waits.
        client_id: the account that waits, or is revoked; None for a place.
        key_id: the key that waits, of an account that works already; the last of the keys that are confirmed.
        agency: the agency that it concerns, if any.
        checkpoint: the checkpoint that it concerns, if any.
    """

    confirmed: bool
    change_id: str | None = None
    client_id: str | None = None
    key_id: str | None = None
    agency: str | None = None
    checkpoint: str | None = None


def waits(known: Place | None, wanted: Place) -> bool:
    """Whether a change of a place waits: it closes the place, or changes the phone that counters call.

    Args:
        known: the place as it is; None if there is none yet, so that nobody relies on it.
        wanted: the place as it is to be.
    """
    if known is None:
        return False
    phone = isinstance(known, Agency) and isinstance(wanted, Agency) and known.phone != wanted.phone
    return phone or (known.active and not wanted.active)


def facts_of(place: Place) -> dict[str, Any]:
    """A place as a change keeps it: everything but its version."""
    return {name: value for name, value in asdict(place).items() if name != "version"}


def place_of(change: PendingChange, version: int) -> Place:
    """The place that a change wants, as a version."""
    kind = next(kind for kind, named in KIND_OF.items() if named is change.kind)
    values = {**(change.wanted or {}), "version": version}
    if kind is Agency:
        values["legal_forms"] = tuple(values["legal_forms"])
    return kind(**values)
