"""What an approved amendment makes of its entry; pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from app.amendments.domain import Amendment, AmendmentKind
from app.entries import periods
from app.entries.domain import EndedReason, Entry, State
from app.entries.subjects import Alias, Subject
from app.entries.values import Ruling, RulingKind
from app.errors import WrongState
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

AMENDABLE: Final = frozenset({State.ACTIVE, State.PROVISIONAL})


def applied(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """The entry's next version.

    Args:
        amendment: approved.
        entry: as it stands at that instant.
        at: when it was approved.

    Raises:
        WrongState: the entry has ended meanwhile.
    """
    if entry.state not in AMENDABLE:
        raise WrongState(
            "The entry has ended meanwhile; there is nothing left to amend (UU 6/2011 art. 97(2))."
        )
    reason = _ENDS.get(amendment.kind)
    if reason is not None:
        return entry.ended(reason, at, at).replace(rulings=(*entry.rulings, *_rulings(amendment)))
    changes: dict[str, Any] = {
        "version": entry.version + 1,
        "updated_at": at,
        "authors": amendment.authors,
        "verified_by": amendment.verified_by,
        "approved_by": (amendment.approved_by,),
        "warnings": amendment.warnings,
    }
    if amendment.extension is not None:
        changes |= {
            "ends_on": amendment.extension.ends_on,
            "in_force_until": periods.over_at(amendment.extension.ends_on),
            "extension_count": entry.extension_count + 1,
            "extended_by": amendment.extension.basis,
        }
    elif amendment.correction is not None:
        subject = amendment.correction.subject or entry.subject
        changes |= {
            "subject": subject,
            "citizenship": subject.citizenship,
            "basis": amendment.correction.basis or entry.basis,
            "unknown": amendment.correction.unknown,
        }
    return entry.replace(**changes)


def _rulings(amendment: Amendment) -> tuple[Ruling, ...]:
    judged = amendment.judgment
    if judged is None or amendment.kind not in {AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT}:
        return ()
    kind = RulingKind(amendment.kind.value)
    return (Ruling(kind, judged.number, judged.court, judged.decided_on, judged.final_on),)


def told_as(kind: AmendmentKind) -> RecordType:
    """How the ledger calls the change."""
    return _TOLD_AS.get(kind, RecordType.ENTRY_ENDED)


def effective_at(amendment: Amendment, entry: Entry) -> datetime | None:
    """When an end took effect that the law brought by itself: an acquittal's on the day it became final (art. 97(3)).

    Never before the entry began; None for every other kind, whose decision is what ends it.
    """
    if amendment.kind is not AmendmentKind.ACQUITTAL or amendment.judgment is None:
        return None
    final = periods.begins_at(amendment.judgment.final_on)
    return final if entry.in_force_from is None else max(final, entry.in_force_from)


def known_as(corrected: Subject, before: Subject, withdrawn: Collection[str]) -> Subject:
    """The corrected subject with every spelling under which the entry was known, but those that are withdrawn."""
    spellings = (Alias(before.full_name), *before.aliases)
    given = {corrected.full_name.casefold(), *(alias.name.casefold() for alias in corrected.aliases)}
    gone = given | {name.casefold() for name in withdrawn}
    kept = [alias for alias in spellings if alias.name.casefold() not in gone]
    return msgspec.structs.replace(corrected, aliases=(*corrected.aliases, *kept))
