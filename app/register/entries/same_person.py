"""Finding other entries, of any owner, against the person of an entry."""

from app.db.unit import Reader
from app.register.entries import store
from app.register.entries.domain import Entry
from app.register.entries.keys import person_keys


async def list_holding(reader: Reader, entry: Entry) -> list[Entry]:
    """Return the other entries of the same measure that are in force against the same person, in no order.

    Sealed entries are included. All are read in one statement.
    """
    return [other for other in await list_others(reader, entry) if other.in_force(reader.now)]


async def list_others(reader: Reader, entry: Entry) -> list[Entry]:
    """Return every other entry of the same measure against the same person, in any state, in no order.

    Sealed entries are included.
    """
    keys = person_keys(entry.subject)
    return [
        other
        for other in await store.list_by_keys(reader, keys)
        if other.id != entry.id
        and other.measure is entry.measure
        and other.subject.same_person(entry.subject)
    ]
