"""Sealing an entry when an open correction would make an officer or user of the register its subject (R61)."""

from collections.abc import Sequence

from app.access.clients.service import PersonsRegistered
from app.db.unit import Unit
from app.ledger.domain import Draft
from app.register.amendments import store
from app.register.entries import store as entry_store
from app.register.entries.seals import bar, list_possible_users


async def seal_corrections(unit: Unit, event: PersonsRegistered) -> Sequence[Draft]:
    """Hide an entry from a new account holder if an undecided correction may make that person its subject.

    It is a projector: the transaction that registers new account holders calls it with the event. It returns no ledger
    records. It reads all undecided corrections, which are few.
    """
    for each in await store.list_open_corrections(unit):
        subject = each.correction.subject if each.correction is not None else None
        about = list_possible_users(subject, event.persons) if subject is not None else set()
        if about:
            await bar(unit, await entry_store.lock(unit, each.entry_id), about)
    return ()
