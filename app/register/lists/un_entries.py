"""Conversion of persons of the UN list to entry bans of Immigration.

A listing by the Security Council binds Indonesia (UN Charter art. 25, 41). The ban itself is Immigration's decision
(UU 6/2011 art. 98), approved by two persons. It lasts for life on the ground of security and public order (art.
102(3)), or until a review date.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from app.identity.births import birth_from_json
from app.register.entries import listing
from app.register.entries.domain import Basis, Measure
from app.register.entries.law.request import Owner, Policy
from app.register.entries.listing import ImportedMeasure, Source
from app.register.entries.requested import RequestedMeasure
from app.register.entries.subjects import Subject
from app.register.lists import un
from app.register.lists.un import ListedPerson

SOURCE: Final = Source("un", leads=True)

_LAW: Final = "UU 6/2011 art. 98, 102; Permenimipas 13/2025 art. 17; UN Charter art. 25, 41"
_TERRORISM: Final = frozenset({"Al-Qaida", "Taliban"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What all entries of one import of the list have in common.

    Attributes:
        owner: Immigration, which will own the entries.
        policy: the deployment's choices.
        today: the legal day of the import.
        edition: the day of the edition.
        review_on: last day of the added bans; None for life.
    """

    owner: Owner
    policy: Policy
    today: date
    edition: date
    review_on: date | None


def entry_ban_of(person: ListedPerson, key: str, terms: Terms) -> ImportedMeasure:
    """Return the entry ban against a person of the list, as an item that the register can import.

    Args:
        person: the person.
        key: the key under which the register stores the item; it must be the same for every edition.
        terms: the common data of the import.

    Raises:
        CekalError: a rule of law forbids the entry; `WniCannotBeDeterred` for an Indonesian.
    """
    requested = RequestedMeasure(
        measure=Measure.DETERRENCE,
        subject=subject_of(person),
        photo=None,
        basis=_basis(person, terms),
        starts_on=terms.today,
        ends_on=terms.review_on,
        lifetime=terms.review_on is None,
    )
    warnings = listing.judge_import(requested, terms.owner, terms.policy, terms.today, origin="list")
    return ImportedMeasure(
        source=SOURCE,
        reference=key,
        digest=un.digest(person),
        agency=terms.owner.code,
        requested=requested,
        warnings=warnings,
        note=f"UN Security Council list of {terms.edition}",
    )


def subject_of(person: ListedPerson) -> Subject:
    """Return a person of the list as the subject of an entry."""
    births = [birth_from_json(shape) for shape in person.births]
    return msgspec.convert(
        {
            "full_name": person.full_name,
            "aliases": person.aliases,
            "sex": None if person.sex == "unspecified" else person.sex,
            "birth": births[0] if births else None,
            "birth_alternatives": births[1:],
            "birth_place": person.birth_place,
            "nationalities": person.nationalities,
            "occupation": person.designation,
            "address": person.address,
            "documents": person.documents,
        },
        Subject,
        from_attributes=True,
    )


def _basis(person: ListedPerson, terms: Terms) -> Basis:
    reference = person.reference or (f"DATAID {person.data_id}" if person.data_id else "without a number")
    since = f"since {person.listed_on}" if person.listed_on else "on a day that the list does not give"
    words = f"Named by the UN Security Council {since} as {reference}"
    ground = f"{words}: security and public order (UU 6/2011 art. 102(3))."
    issued_on = date.fromisoformat(person.listed_on) if person.listed_on else terms.edition
    return Basis(
        instrument="decision",
        number=reference,
        issued_on=min(issued_on, terms.today),  # the list's time zone may be a day ahead
        law=_LAW,
        reason_code="terrorism" if person.programme in _TERRORISM else "other",
        reason=f"{words}, {person.programme} sanctions. {person.comments or ''}".strip(),
        case_reference=f"UN {reference}",
        subject_status="foreigner_under_measure",
        lifetime_ground=ground if terms.review_on is None else None,
    )
