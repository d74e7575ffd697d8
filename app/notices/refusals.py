"""What is told of refusals, and of sealed entries; pure."""

from datetime import datetime
from typing import Final

from app.amendments.domain import Amendment, AmendmentKind
from app.db.unit import Actor
from app.entries.acts import Act
from app.entries.deadlines import confirm_by
from app.entries.domain import Entry
from app.kit.clock import legal_day
from app.notices.domain import APPROVERS, Draft, in_person, owner
from app.notices.names import NoticeName

_STEPS: Final = {
    Act.REJECTION_PROPOSED: NoticeName.REJECTION_PROPOSED,
    Act.REJECTED: NoticeName.REJECTION_CONFIRMED,
    Act.REJECTION_KEPT: NoticeName.REJECTION_KEPT,
}


def entry_sealed(entry: Entry) -> Draft:
    """The notice to its authors and other insiders that the register has sealed an entry by itself (R61)."""
    return Draft(
        name=NoticeName.ENTRY_SEALED,
        key=f"{NoticeName.ENTRY_SEALED}:{entry.id}:{entry.version}",
        to=tuple(in_person(person) for person in sorted(entry.opened_to)),
        effective_at=entry.updated_at,
        entry_id=entry.id,
        agency=entry.agency,
    )


def sealed_entry_met(entry: Entry, by: Actor, at: datetime) -> Draft:
    """The notice to the persons that a seal lets through: a client's request has met its entry (R61)."""
    return Draft(
        name=NoticeName.SEALED_ENTRY_MET,
        key=f"{NoticeName.SEALED_ENTRY_MET}:{entry.id}:{by.client_id}:{legal_day(at)}",
        to=tuple(in_person(person) for person in sorted(entry.opened_to)),
        effective_at=at,
        entry_id=entry.id,
        agency=by.agency,
        detail={"client_id": by.client_id},
    )


def amendment_refused(amendment: Amendment) -> Draft:
    """The notice that Immigration has refused what an owner asked for (R36)."""
    revocation = amendment.kind is AmendmentKind.REVOCATION
    name = NoticeName.REVOCATION_REFUSED if revocation else NoticeName.AMENDMENT_REFUSED
    return Draft(
        name=name,
        key=f"{name}:{amendment.id}",
        to=owner(amendment.owner),
        effective_at=amendment.updated_at,
        entry_id=amendment.entry_id,
        agency=amendment.owner,
        detail={"amendment_id": amendment.id},
    )


def rejection_considered(entry: Entry, act: Act) -> Draft:
    """The notice of a request's rejection, or of a step towards that of a countersigned entry (R18, R32).

    To the owner; a proposal to the approvers too, because one of them decides on it.
    """
    proposed = entry.rejection_proposed
    name = _STEPS[act] if entry.countersigned_at is not None else NoticeName.REQUEST_REFUSED
    return Draft(
        name=name,
        key=f"{name}:{entry.id}:{entry.version}",
        to=(*owner(entry.agency), *(() if proposed is None else (APPROVERS,))),
        effective_at=entry.updated_at,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=None if proposed is None else confirm_by(proposed),
    )
