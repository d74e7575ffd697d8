"""Corrections that want an entry to be about an officer or user of the register (R61)."""

from collections.abc import Sequence

from app.access.service import PersonsRegistered
from app.amendments import store
from app.db.unit import Unit
from app.entries import store as entry_store
from app.entries.seals import bar, who_may_be
from app.ledger.domain import Draft


async def follow_persons(unit: Unit, event: PersonsRegistered) -> Sequence[Draft]:
    """Close to persons with an account the entries that a correction, not decided yet, wants to be about them.

    A projector. Whatever waits is read, for that is never much.
    """
    for each in await store.list_open_corrections(unit):
        subject = each.correction.subject if each.correction is not None else None
        about = who_may_be(subject, event.persons) if subject is not None else set()
        if about:
            await bar(unit, await entry_store.lock(unit, each.entry_id), about)
    return ()
