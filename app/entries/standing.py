"""How entries stand at the moment of reading, for those who saw them earlier."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.db.unit import Reader
from app.entries import store
from app.entries.domain import EndedReason, Entry, Measure, State


@dataclass(frozen=True, slots=True)
class Standing:
    """How an entry stands.

    Attributes:
        state: its own.
        in_force: whether its measure holds: by itself, or by the formal entry that took over from an urgent one.
    """

    state: State
    measure: Measure
    in_force: bool


async def standing(reader: Reader, entry_ids: Collection[str]) -> Mapping[str, Standing]:
    """How some entries stand now, by their ids."""
    if not entry_ids:
        return {}
    entries = [entry.at(reader.now) for entry in await store.list_by_ids(reader, entry_ids)]
    return {entry.id: Standing(entry.state, entry.measure, await _holds(reader, entry)) for entry in entries}


async def _holds(reader: Reader, entry: Entry) -> bool:
    if entry.ended_reason is not EndedReason.SUPERSEDED:
        return entry.in_force(reader.now)
    return any(formal.in_force(reader.now) for formal in await store.list_formalising(reader, entry.id))
