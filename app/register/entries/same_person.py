"""Finding other entries, of any owner, against the person of an entry."""

from app.db.unit import Reader
from app.register.entries import store
from app.register.entries.domain import Entry
from app.register.entries.keys import person_keys
from app.register.entries.pending import stops


async def list_stopping(reader: Reader, entry: Entry) -> list[Entry]:
    """Return the other entries of the same measure by which checks stop the same person now, in no order.

    These are entries in force, and entries that are over with undecided papers (R68). Sealed entries are included.
    """
    return [other for other in await list_others(reader, entry) if stops(other, reader.now)]


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
