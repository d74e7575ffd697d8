"""What remains of an entry when retention erases the person from it (no I/O; UU 27/2022 art. 42-44; R64)."""

from datetime import datetime
from typing import Final

import msgspec

from app.register.entries.domain import Basis, Entry
from app.register.entries.subjects import Subject

ERASED: Final = "(data dihapus / data erased)"
"""Text, in both languages, that replaces erased texts where a text is required."""


def without_person(entry: Entry, at: datetime) -> Entry:
    """Return the entry, with its version number unchanged, without data that name the person or describe the case.

    Data that name nobody stay: measure, agency, state, days, and codes such as the letter's form and the reason. The
    officers that acted stay too, because they remain accountable for the entry. `at` becomes the time of the erasure.
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
    """Return the entry's next version, without the person (see `without_person`); `at` is the time of the erasure."""
    return without_person(entry, at).replace(version=entry.version + 1, updated_at=at)


def basis_without_case(basis: Basis) -> Basis:
    """Return a copy of the legal ground without its numbers, names, sums and texts; its codes and dates stay."""
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
