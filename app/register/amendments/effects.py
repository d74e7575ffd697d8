"""How an approved amendment changes its entry: ended, extended or corrected (no I/O)."""

from datetime import datetime
from typing import Any, Final

from app.kit.clock import legal_day
from app.ledger.domain import RecordType
from app.register.amendments.domain import Amendment, AmendmentKind
from app.register.entries.acts import Act
from app.register.entries.domain import EndedReason, Entry
from app.register.entries.law import periods
from app.register.entries.pending import pause_of

_ENDS: Final = {
    AmendmentKind.REVOCATION: EndedReason.REVOKED,
    AmendmentKind.ACQUITTAL: EndedReason.ACQUITTED,
    AmendmentKind.ANNULMENT: EndedReason.ANNULLED,
}
_RECORD_TYPES: Final = {
    AmendmentKind.EXTENSION: RecordType.ENTRY_EXTENDED,
    AmendmentKind.CORRECTION: RecordType.ENTRY_CORRECTED,
}
EVENTS: Final = {
    AmendmentKind.EXTENSION: Act.EXTENDED,
    AmendmentKind.CORRECTION: Act.CORRECTED,
    AmendmentKind.REVOCATION: Act.REVOKED,
    AmendmentKind.ACQUITTAL: Act.ACQUITTED,
    AmendmentKind.ANNULMENT: Act.ANNULLED,
}
"""Name of each kind of amendment in an entry's history."""


def ended_by(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """Return the entry's next version, ended by an approved revocation, acquittal or annulment at the instant `at`.

    A revocation that ends only this entry, and not the whole measure (see `Scope`), makes the entry `repeatable`: the
    owner may file the same decision again.
    """
    after = entry.ended(_ENDS[amendment.kind], at, at)
    return after.replace(repeatable=amendment.kind is AmendmentKind.REVOCATION and not amendment.ends_whole)


def applied(amendment: Amendment, entry: Entry, at: datetime) -> Entry:
    """Return the entry's next version after an extension or correction that is approved at the instant `at`."""
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
    """Return the entry's next version after a correction that is approved at the instant `at`."""
    correction = amendment.correction
    assert correction is not None, "it is a correction"
    subject = correction.subject or entry.subject
    changes: dict[str, Any] = {
        "subject": subject,
        "citizenship": subject.citizenship_on(legal_day(at)),
        "basis": correction.basis or entry.basis,
        "unknown": tuple(member for member in correction.unknown if not getattr(subject, member)),
        "breadth": amendment.breadth or entry.breadth,
    }
    if correction.ends_on is not None:
        changes |= {
            "ends_on": correction.ends_on,
            "lifetime": False,
            "in_force_until": periods.over_at(correction.ends_on),
            "waiting": None,  # for an extension of the former last day, which can't be approved any more
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


def record_type_of(kind: AmendmentKind) -> RecordType:
    """Return the type of the ledger record that publishes an approved amendment of this kind."""
    return _RECORD_TYPES.get(kind, RecordType.ENTRY_ENDED)


def effective_at(amendment: Amendment, entry: Entry, at: datetime) -> datetime | None:
    """Return when an acquittal ended the measure by law: the start of the day on which it became final (art. 97(3)).

    None for every other kind of amendment, because its approval ends the measure at that moment.

    Args:
        amendment: the approved amendment.
        entry: an entry that the amendment ends; the result is not earlier than the beginning of the entry.
        at: when the amendment was approved; the result is not later.
    """
    final_on = None if amendment.judgment is None else amendment.judgment.final_on
    if amendment.kind is not AmendmentKind.ACQUITTAL or final_on is None:
        return None
    final = periods.begins_at(final_on)
    begun = entry.in_force_from
    return min(final if begun is None else max(final, begun), at)
