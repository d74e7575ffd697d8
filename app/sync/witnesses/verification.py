"""Verifying stored cosignatures: each is a valid signature of the head with which it is stored."""

from collections.abc import Mapping

from app.db.unit import Reader
from app.kit.differences import Difference
from app.sync.witnesses import store
from app.sync.witnesses.store import StoredCosignature
from app.tlog.keys import VerifierKey
from app.tlog.notes import Note, Signature


async def verify_cosignatures(
    reader: Reader, epoch: str, notes: Mapping[int, str]
) -> tuple[int, list[Difference]]:
    """Verify the stored cosignatures of some signed heads.

    Args:
        reader: the transaction.
        epoch: the epoch of the heads.
        notes: the note of each head, by the head's size.

    Returns:
        The number of cosignatures that were verified, and a difference for each wrong one.
    """
    rows = await store.list_cosignatures(reader, epoch, notes)
    faults = ((row, _fault_of(row, notes[row.size])) for row in rows)
    return len(rows), [Difference(f"cosignature {row.size} {row.name}", what) for row, what in faults if what]


def _fault_of(row: StoredCosignature, note: str) -> str | None:
    try:
        key = VerifierKey.parse(row.vkey)
        text = Note.parse(note.encode()).text
        time = key.verify(text, Signature(key.name, key.key_id, bytes(row.data)))
    except ValueError:  # also of a key, a note or a signature that is none
        return "it is not a signature of this head"
    differs = (row.name, row.signed_at.timestamp()) != (key.name, time)
    return "its columns differ from its key or its signature" if differs else None
