"""Revocations that Immigration has refused, for the worklists of the owners that filed them (R36)."""

from functools import partial

from app.db.pages import first_of
from app.db.unit import Reader
from app.register.amendments import store
from app.register.amendments.domain import Amendment


async def list_refused_revocations(reader: Reader, limit: int) -> list[Amendment]:
    """Return the revocations by the actor's agency that Immigration refused, oldest first, at most `limit`.

    Only revocations of entries that are in force or begin later, and that no seal hides from the actor. If the agency
    has filed a later revocation of the same entry, and that one was not returned, the refused one is left out.
    """
    read = partial(store.list_refused_revocations, reader, str(reader.actor.agency), limit=limit)
    return await first_of(lambda after: read(after=after), limit, lambda each: not each.refused_to_owner)
