"""Verification of the heads that letters show: each is a signed head of the ledger and covers the letter's record."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.casework.papers import store
from app.casework.papers.domain import Standing
from app.db.unit import Reader
from app.kit.differences import Difference
from app.ledger import service as ledger
from app.sync.heads.domain import KeyUse
from app.sync.heads.service import list_uses
from app.sync.witnesses.service import list_cosigning_keys
from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import SignatureInvalid, VerifierKey
from app.tlog.notes import Note

BEFORE_ALL: Final = -(2**63)
"""A number below the record numbers of all rows, also of faulty rows with negative ones: `after` of the first page."""

_KEPT: Final = frozenset({Standing.WITNESSED, Standing.UNWITNESSED, Standing.BEYOND})
"""What a stored head may rest on."""


async def verify_letter_heads(
    reader: Reader, after: int, limit: int
) -> tuple[int, list[Difference], int | None]:
    """Verify a page of the stored heads of letters; the caller has verified the ledger's records and cosignatures.

    Args:
        reader: the transaction.
        after: the page begins with the first record number greater than this; `BEFORE_ALL` for the first page.
        limit: the greatest number of heads.

    Returns:
        The number of verified heads, the differences found, and the record number to continue after; None at the end.
    """
    rows = await store.list_letter_heads(reader, after, limit)
    known = await list_uses(reader)
    kinds = await ledger.types_of(reader, [row.sequence for row in rows])
    roots: dict[int, bytes | None] = {}
    found = []
    for row in rows:
        try:
            what = await _fault_of(reader, row, known, roots)
        except ValueError:
            what = "its note can't be read"
        if what is None and not kinds.get(row.sequence, "").startswith("entry."):
            what = "no version of an entry is the record with this number"
        if what is not None:
            found.append(Difference(f"letter_head {row.sequence}", what))
    return len(rows), found, rows[-1].sequence if len(rows) == limit else None


async def _fault_of(
    reader: Reader, row: Any, known: Sequence[KeyUse], roots: dict[int, bytes | None]
) -> str | None:
    """Return what is wrong with a stored head, except with its record.

    Raises:
        ValueError: its note is no signed checkpoint.
    """
    note = Note.parse(row.note.encode())
    checkpoint = Checkpoint.parse(note.text)
    own = [use for use in known if use.origin == checkpoint.origin]
    if row.size != checkpoint.size:
        return "its size is not that of its note"
    if not 1 <= row.sequence <= row.size:
        return "it does not cover the record"
    if row.size not in roots:
        roots[row.size] = await _root_at(reader, row.size)
    if roots[row.size] != checkpoint.root:
        return "its root is not the root of the ledger's records"
    epoch = checkpoint.origin.rpartition("/")[2]
    witnesses = await list_cosigning_keys(reader, epoch, row.size)
    if (what := _fault_of_signatures(note, [use.key for use in own], witnesses)) is not None:
        return what
    if row.standing not in _KEPT or (row.standing == Standing.WITNESSED) != (len(note.signatures) > 1):
        return "its standing contradicts its signatures"
    return None


def _fault_of_signatures(
    note: Note, own: Sequence[VerifierKey], witnesses: Sequence[VerifierKey]
) -> str | None:
    """Return what is wrong with the signatures: the first is the register's, the others are of witnesses."""
    for number, signature in enumerate(note.signatures):
        keys: Mapping[tuple[str, bytes], VerifierKey] = {
            (key.name, key.key_id): key for key in (witnesses if number else own)
        }
        key = keys.get((signature.name, signature.key_id))
        try:
            if key is not None:
                key.verify(note.text, signature)
        except SignatureInvalid:
            key = None
        if key is None:
            return "a signature is wrong, or by a key that did not sign this head"
    return None


async def _root_at(reader: Reader, size: int) -> bytes | None:
    """Return the root of the ledger's first records from the stored hashes; None where the ledger has fewer."""
    tops = merkle.peaks(size)
    stored = await ledger.nodes(reader, tops)
    return merkle.root([stored[top] for top in tops]) if len(stored) == len(tops) else None
