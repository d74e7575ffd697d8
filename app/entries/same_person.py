"""What else the register holds against the person of an entry, in entries of every owner."""

from app.db.unit import Reader
from app.entries import store
from app.entries.domain import Entry
from app.entries.keys import person_keys


async def list_holding(reader: Reader, entry: Entry) -> list[Entry]:
    """The other entries of the same measure that hold the same person now, in one statement."""
    return [other for other in await list_others(reader, entry) if other.in_force(reader.now)]


async def list_others(reader: Reader, entry: Entry) -> list[Entry]:
    """Every other entry of the same measure against the same person, in whatever state."""
    keys = person_keys(entry.subject)
    return [
        other
        for other in await store.list_by_keys(reader, keys)
        if other.id != entry.id
        and other.measure is entry.measure
        and other.subject.same_person(entry.subject)
    ]
