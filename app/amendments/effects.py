"""What an approved amendment makes of its entry; pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from app.amendments.domain import Amendment, AmendmentKind
from app.entries import periods
from app.entries.domain import EndedReason, Entry
from app.entries.pending import pause_of
from app.entries.subjects import Alias, Subject
from app.kit.clock import legal_day
from app.ledger.domain import RecordType

_ENDS: Final = {
    AmendmentKind.REVOCATION: EndedReason.REVOKED,
    AmendmentKind.ACQUITTAL: EndedReason.ACQUITTED,
    AmendmentKind.ANNULMENT: EndedReason.ANNULLED,
}
_TOLD_AS: Final = {
    AmendmentKind.EXTENSION: RecordType.ENTRY_EXTENDED,
    AmendmentKind.CORRECTION: RecordType.ENTRY_CORRECTED,
}
EVENTS: Final = {
    AmendmentKind.EXTENSION: "extended",
    AmendmentKind.CORRECTION: "corrected",
    AmendmentKind.REVOCATION: "revoked",
    AmendmentKind.ACQUITTAL: "acquitted",
    AmendmentKind.ANNULMENT: "annulled",
}
"""What each kind is called in an entry's history."""


def ended_by(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """The running entry that an approved revocation, acquittal or annulment ends."""
    after = entry.ended(_ENDS[amendment.kind], at, at)
    return after.replace(repeatable=amendment.kind is AmendmentKind.REVOCATION and not amendment.ends_whole)


def applied(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """The entry's next version by an approved extension or correction."""
    if amendment.extension is None:
        return corrected(amendment, entry, at)
    longer = _changed(
        amendment,
        entry,
        at,
        ends_on=amendment.extension.ends_on,
        in_force_until=periods.over_at(amendment.extension.ends_on),
        extension_count=entry.extension_count + 1,
        extended_by=amendment.extension.basis,
        waiting=None,
        pause=pause_of(entry, at),
    )
    return longer.remembering(entry)


def corrected(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """The entry as an approved correction wants it."""
    correction = amendment.correction
    assert correction is not None, "it is a correction"
    subject = correction.subject or entry.subject
    changes: dict[str, Any] = {
        "subject": subject,
        "citizenship": subject.citizenship_on(legal_day(at)),
        "basis": correction.basis or entry.basis,
        "unknown": correction.unknown,
    }
    if correction.ends_on is not None:
        changes |= {
            "ends_on": correction.ends_on,
            "lifetime": False,
            "in_force_until": periods.over_at(correction.ends_on),
        }
    return _changed(amendment, entry, at, **changes).remembering(entry)


def _changed(amendment: Amendment, entry: Entry, at: datetime, **changes: Any) -> Entry:
    return entry.replace(
        version=entry.version + 1,
        updated_at=at,
        authors=tuple(dict.fromkeys((*entry.authors, *amendment.authors))),
        verified_by=amendment.verified_by,
        approved_by=tuple(filter(None, (amendment.first_approver, amendment.approved_by))),
        warnings=amendment.warnings,
        **changes,
    )


def told_as(kind: AmendmentKind) -> RecordType:
    """How the ledger calls the change."""
    return _TOLD_AS.get(kind, RecordType.ENTRY_ENDED)


def effective_at(amendment: Amendment, entry: Entry, at: datetime) -> datetime | None:
    """When an end took effect that the law brought by itself: an acquittal's on the day it became final (art. 97(3)).

    Never before the entry began, nor, where it has not begun yet, later than the decision; None for every other
    kind, whose decision is what ends it.
    """
    final_on = None if amendment.judgment is None else amendment.judgment.final_on
    if amendment.kind is not AmendmentKind.ACQUITTAL or final_on is None:
        return None
    final = periods.begins_at(final_on)
    begun = entry.in_force_from
    return min(final if begun is None else max(final, begun), at)


def known_as(corrected: Subject, before: Subject, withdrawn: Collection[str]) -> Subject:
    """The corrected subject with every spelling under which the entry was known, but those that are withdrawn."""
    spellings = (Alias(before.full_name), *before.aliases)
    given = {corrected.full_name.casefold(), *(alias.name.casefold() for alias in corrected.aliases)}
    gone = given | {name.casefold() for name in withdrawn}
    kept = [alias for alias in spellings if alias.name.casefold() not in gone]
    return msgspec.structs.replace(corrected, aliases=(*corrected.aliases, *kept))
