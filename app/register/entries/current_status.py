"""Current states of entries, for readers that saw them earlier."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.db.unit import Reader
from app.register.entries import store
from app.register.entries.domain import EndedReason, Entry, Measure, State


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """The current status of an entry.

    Attributes:
        state: the entry's own state.
        in_force: whether its measure is in force: in this entry, or in the formal entry that took over from this one.
    """

    state: State
    measure: Measure
    in_force: bool


async def current_status(reader: Reader, entry_ids: Collection[str]) -> Mapping[str, EntryStatus]:
    """Return the current status of these entries by id; unknown ids are left out, and visibility is not checked."""
    if not entry_ids:
        return {}
    entries = [entry.at(reader.now) for entry in await store.list_by_ids(reader, entry_ids)]
    return {
        entry.id: EntryStatus(entry.state, entry.measure, await _holds(reader, entry)) for entry in entries
    }


async def _holds(reader: Reader, entry: Entry) -> bool:
    if entry.ended_reason is not EndedReason.SUPERSEDED:
        return entry.in_force(reader.now)
    return any(formal.in_force(reader.now) for formal in await store.list_formalising(reader, entry.id))
