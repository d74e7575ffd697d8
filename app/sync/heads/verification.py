"""Verifying stored signed heads: their text and their signatures."""

from collections.abc import Sequence

from app.sync.heads.domain import KeyUse, SignedHead
from app.tlog.keys import SignatureInvalid
from app.tlog.notes import Note, NoteMalformed
from app.tlog.signed import open_checkpoint


def fault_of(head: SignedHead, known: Sequence[KeyUse]) -> str | None:
    """Return what is wrong with a stored signed head, in English; None if nothing is.

    The head's note must be signed by keys of the register, and the head's other columns must agree with the note. The
    root is not compared with the ledger's records.

    Args:
        head: the signed head.
        known: all keys of the register under all origins.
    """
    uses = [use for use in known if use.origin.endswith(f"/{head.epoch}")]
    try:
        opened = open_checkpoint(Note.parse(head.note.encode()), [use.key for use in uses])
    except NoteMalformed:
        return "its note can't be read"
    except SignatureInvalid:
        return "a signature is wrong, or no key of the register signed it"
    checkpoint = opened.checkpoint
    said = (checkpoint.origin in {use.origin for use in uses}, checkpoint.size, checkpoint.root)
    return None if said == (True, head.size, head.root) else "its columns differ from its note"
