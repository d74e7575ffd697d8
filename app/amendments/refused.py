"""Revocations that Immigration has refused, for the owners who asked for them (R36)."""

from functools import partial

from app.amendments import store
from app.amendments.domain import Amendment
from app.db.pages import first_of
from app.db.unit import Reader


async def list_refused_revocations(reader: Reader, limit: int) -> list[Amendment]:
    """The revocations that Immigration has refused the actor's agency, of entries that hold on; oldest first.

    A revocation that was filed since, and waits, takes its place.
    """
    read = partial(store.list_refused_revocations, reader, str(reader.actor.agency), limit=limit)
    return await first_of(lambda after: read(after=after), limit, lambda each: not each.refused_to_owner)
