"""Notices of refusals and of sealed entries (no I/O).

Each notice has a key: of several notices with the same key only the first is stored.
"""

from datetime import datetime
from typing import Final

from app.actor import Actor
from app.alerting.notices.domain import APPROVERS, NoticeContent, in_person, owner
from app.alerting.notices.names import NoticeName
from app.kit.clock import legal_day
from app.register.amendments.domain import Amendment, AmendmentKind
from app.register.entries.acts import Act
from app.register.entries.domain import Entry
from app.register.entries.law.deadlines import confirm_by

_STEPS: Final = {
    Act.REJECTION_PROPOSED: NoticeName.REJECTION_PROPOSED,
    Act.REJECTED: NoticeName.REJECTION_CONFIRMED,
    Act.REJECTION_KEPT: NoticeName.REJECTION_KEPT,
}


def entry_sealed(entry: Entry) -> NoticeContent:
    """Return the notice that an entry was sealed, to each person that the seal still lets see it (R61)."""
    return NoticeContent(
        name=NoticeName.ENTRY_SEALED,
        key=f"{NoticeName.ENTRY_SEALED}:{entry.id}:{entry.version}",
        to=tuple(in_person(person) for person in sorted(entry.opened_to)),
        effective_at=entry.updated_at,
        entry_id=entry.id,
        agency=entry.agency,
    )


def sealed_entry_met(entry: Entry, by: Actor, at: datetime) -> NoticeContent:
    """Return the notice that a sealed entry was the reason for refusing a request of `by` (R61).

    It goes to the persons that the seal names. By its key only one a day is stored for the entry and the client.
    """
    return NoticeContent(
        name=NoticeName.SEALED_ENTRY_MET,
        key=f"{NoticeName.SEALED_ENTRY_MET}:{entry.id}:{by.client_id}:{legal_day(at)}",
        to=tuple(in_person(person) for person in sorted(entry.opened_to)),
        effective_at=at,
        entry_id=entry.id,
        agency=by.agency,
        detail={"client_id": by.client_id},
    )


def amendment_refused(amendment: Amendment) -> NoticeContent:
    """Return the notice to an entry's owner that Immigration has refused its amendment (R36)."""
    revocation = amendment.kind is AmendmentKind.REVOCATION
    name = NoticeName.REVOCATION_REFUSED if revocation else NoticeName.AMENDMENT_REFUSED
    return NoticeContent(
        name=name,
        key=f"{name}:{amendment.id}",
        to=owner(amendment.owner),
        effective_at=amendment.updated_at,
        entry_id=amendment.entry_id,
        agency=amendment.owner,
        detail={"amendment_id": amendment.id},
    )


def rejection_considered(entry: Entry, act: Act) -> NoticeContent:
    """Return the notice that a request was rejected (R18), or about a step in rejecting a countersigned entry (R32).

    The steps (`act`) are the proposal, its confirmation, and the decision to keep the entry. The notice goes to the
    owner; that of a proposal goes to the approvers too, because one of them decides on it.
    """
    proposed = entry.rejection_proposed
    name = _STEPS[act] if entry.countersigned_at is not None else NoticeName.REQUEST_REFUSED
    return NoticeContent(
        name=name,
        key=f"{name}:{entry.id}:{entry.version}",
        to=(*owner(entry.agency), *(() if proposed is None else (APPROVERS,))),
        effective_at=entry.updated_at,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=None if proposed is None else confirm_by(proposed),
    )
