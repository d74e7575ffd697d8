"""Making an entry's ledger records: a permanent leaf of codes and days, and a personal part that can be erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from app.db.unit import Unit
from app.kit.clock import rfc3339
from app.ledger.domain import Draft, RecordType
from app.register.entries.domain import Entry
from app.register.entries.events import EntryChanged, EntryErased


async def publish_erasure(_unit: Unit, event: EntryErased) -> Sequence[Draft]:
    """Return the ledger record that makes followers delete their copies of an erased entry; it names no person.

    The transaction in which the event happened calls this before its commit, and stores the record.
    """
    return [_draft(event.entry, RecordType.ENTRY_ERASED)]


async def publish_change(_unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """Return the ledger record of an entry's change: codes and days in the leaf, the person in the personal part.

    The transaction in which the event happened calls this before its commit, and stores the record.
    """
    return [_draft(event.entry, event.what, event.effective_at)]


def _draft(entry: Entry, what: RecordType, effective_at: datetime | None = None) -> Draft:
    return Draft(
        type=what,
        entry_id=entry.id,
        version=entry.version,
        agency=entry.agency,
        facts=leaf_facts(entry),
        personal=personal_part(entry),
        effective_at=effective_at,
        tombstone=what in {RecordType.ENTRY_ENDED, RecordType.ENTRY_ERASED},
    )


def leaf_facts(entry: Entry) -> dict[str, Any]:
    """Return the entry's part of the ledger's permanent leaf, by member: codes, days and flags, no personal data."""
    return {
        "measure": entry.measure.value,
        "state": entry.state.value,
        "urgent": entry.urgent,
        "starts_on": entry.starts_on.isoformat(),
        "ends_on": entry.ends_on.isoformat() if entry.ends_on else None,
        "lifetime": entry.lifetime,
        "countersigned": entry.countersigned_at is not None,
        "ended_reason": entry.ended_reason.value if entry.ended_reason else None,
        "formalises": entry.formalises,
        "pending_until": rfc3339(entry.pending_until) if entry.pending_until else None,
    }


def personal_part(entry: Entry) -> dict[str, Any]:
    """Return the entry's personal part of a ledger record, by member, as plain JSON data.

    The members are office, citizenship, subject, basis, letter, the instants of the period, and the extension's
    decision.
    """
    kept: dict[str, Any] = msgspec.to_builtins(
        {
            "office": entry.office,
            "citizenship": entry.citizenship,
            "subject": entry.subject,
            "basis": entry.basis,
            "letter": entry.letter,
            "in_force_from": entry.in_force_from,
            "in_force_until": entry.over_at,
            "extended_by": entry.extended_by,
        }
    )
    return kept
