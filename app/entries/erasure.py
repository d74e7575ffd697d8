"""What is left of an entry once the person is erased from it; pure (UU 27/2022 art. 42-44; R64)."""

from datetime import datetime
from typing import Final

import msgspec

from app.entries.domain import Basis, Entry
from app.entries.subjects import Subject

ERASED: Final = "(data dihapus / data erased)"
"""Stands, in both languages, where a text was that the entry can't be read without."""


def without_person(entry: Entry, at: datetime) -> Entry:
    """The same version without anything that names the person or tells the case.

    What stays is what the ledger's leaf may hold, and the codes of closed lists: measure, agency, states, days,
    form and ground. The officers who acted stay too, since they answer for it.
    """
    return entry.replace(
        subject=Subject(full_name=ERASED),
        basis=basis_without_case(entry.basis),
        extended_by=entry.extended_by and basis_without_case(entry.extended_by),
        letter=None,
        substitute=None,
        unknown=(),
        crossing=None,
        alert_message=None,
        chase=(),
        warnings=(),
        barred=(),
        rejection_proposed=None,
        rulings=(),
        former=(),
        erased_at=at,
    )


def erased(entry: Entry, at: datetime) -> Entry:
    """The entry's next version, which says that the person is erased."""
    return without_person(entry, at).replace(version=entry.version + 1, updated_at=at)


def basis_without_case(basis: Basis) -> Basis:
    """The legal ground without its numbers, names, sums and words."""
    return msgspec.structs.replace(
        basis,
        number=ERASED,
        law=ERASED,
        reason=ERASED,
        case_reference=ERASED,
        late_reason=None,
        signed_by=None,
        signed_by_position=None,
        amount_idr=None,
        good_faith_doubt=None,
        lifetime_ground=None,
        trafficking_victim=False,
        reopens=None,
    )
