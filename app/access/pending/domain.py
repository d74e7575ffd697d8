"""Changes that wait for a second admin (no I/O; API section 2)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.access.domain import Agency, Checkpoint, Office

Place = Agency | Checkpoint | Office


class ChangeKind(StrEnum):
    """The kind of a change that a second admin must confirm."""

    AGENCY = "agency_change"
    CHECKPOINT = "checkpoint_change"
    OFFICE = "office_change"
    REVOCATION = "admin_revocation"
    KEY_REVOCATION = "admin_key_revocation"


class ChangeState(StrEnum):
    """State of a proposed change.

    `dropped`: another change of the same object was proposed or made, or the command line decided otherwise.
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
    """A change that an admin has proposed and that another person must confirm.

    Attributes:
        about: code of the place (agency, checkpoint or office), or id of the admin's account or key.
        proposed: the values of the proposed place by name (`facts_of`); None for a revocation.
        proposed_by: id of the proposer's client.
        proposed_person: employee number of the proposer in normal form; None for a proposer without one.
        confirmed_at: when the second admin confirmed it; None before.
        confirmed_by: id of the second admin's client; None before the confirmation.
    """

    id: str
    kind: ChangeKind
    about: str
    proposed: dict[str, Any] | None
    state: ChangeState
    proposed_at: datetime
    proposed_by: str
    proposed_person: str | None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SecondAdminAsked:
    """An event: an admin has proposed an act that needs a second admin, or the second admin has confirmed it.

    Attributes:
        confirmed: whether the second admin has confirmed the act.
        change_id: id of the proposed change; None if the act is a new account or key.
        client_id: id of the account that is new or being revoked, or of the key's account; None for a place.
        key_id: id of the new key, or of the last one if several are confirmed at once. None without a new key, also if
            a key is revoked.
        agency: code of the agency concerned, if any.
        checkpoint: code of the checkpoint concerned, if any.
    """

    confirmed: bool
    change_id: str | None = None
    client_id: str | None = None
    key_id: str | None = None
    agency: str | None = None
    checkpoint: str | None = None


def needs_second_admin(known: Place | None, proposed: Place) -> bool:
    """Return whether a second admin must confirm a change of a place: an agency, checkpoint or office.

    True if the change makes the place inactive, or changes an agency's phone.

    Args:
        known: the present place; None for a new one, which needs no second admin.
        proposed: the proposed place.
    """
    if known is None:
        return False
    phone = isinstance(known, Agency) and isinstance(proposed, Agency) and known.phone != proposed.phone
    return phone or (known.active and not proposed.active)


def facts_of(place: Place) -> dict[str, Any]:
    """Return a place's values by name, as a change stores them: without its version."""
    return {name: value for name, value in asdict(place).items() if name != "version"}


def place_of(change: PendingChange) -> Place | None:
    """Return the place that a change proposes, as version 1; None for a revocation, which proposes no place."""
    if change.proposed is None:
        return None
    kind = next(kind for kind, named in KIND_OF.items() if named is change.kind)
    values = dict(change.proposed)
    if kind is Agency:
        values["legal_forms"] = tuple(values["legal_forms"])
    return kind(**values)
