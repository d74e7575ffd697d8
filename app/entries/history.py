"""The life of an entry, step by step: its versions, and the duties that were done about it."""

from typing import Any

from app.db.unit import Reader
from app.entries import recorded, store
from app.entries.service import get
from app.ledger.service import sequences_of_entry


async def history(reader: Reader, entry_id: str) -> list[dict[str, Any]]:
    """What happened to an entry, in order, with the ledger's numbers.

    A duty makes no version; it bears the one that the entry had when it was recorded.

    Raises:
        NotFound: outside the actor's view.
    """
    await get(reader, entry_id)
    sequences = await sequences_of_entry(reader, entry_id)
    steps = await store.list_history(reader, entry_id)
    told = [{**step, "sequence": sequences.get(step["version"])} for step in steps]
    told += [
        {
            "version": done.version,
            "event": done.name,
            "by": done.by,
            "at": done.recorded_at,
            "reason": done.note,
            "sequence": None,
        }
        for done in await recorded.list_duties(reader, entry_id)
    ]
    return sorted(told, key=lambda step: (step["version"], step["at"]))
