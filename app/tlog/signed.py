"""Signed checkpoints: made by a log, opened by a reader who trusts some keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import SignatureInvalid, SigningKey, VerifierKey
from app.tlog.notes import Note


def sign_checkpoint(checkpoint: Checkpoint, keys: Sequence[SigningKey], time: int) -> Note:
    """Return a note with a log's checkpoint, signed by each of the log's keys under its origin.

    Args:
        checkpoint: the checkpoint.
        keys: the log's keys.
        time: the POSIX time of the signatures.

    Raises:
        SignatureInvalid: the origin is too long for a key of ML-DSA-44.
    """
    text = str(checkpoint)
    return Note(text, tuple(key.sign(checkpoint.origin, text, time) for key in keys))


@dataclass(frozen=True, slots=True)
class Opened:
    """A note whose checkpoint has at least one verified signature; `open_checkpoint` makes it.

    Attributes:
        checkpoint: the checkpoint in the note.
        note: the note, with all its signatures.
        signed: the keys whose signatures were verified, each with the POSIX time of its signature; None for a plain
            signature.
    """

    checkpoint: Checkpoint
    note: Note
    signed: dict[VerifierKey, int | None]


def open_checkpoint(note: Note, keys: Iterable[VerifierKey]) -> Opened:
    """Verify a note's signatures by the given keys, and return its checkpoint; signatures by other keys are ignored.

    Raises:
        NoteMalformed: the note's text is not a checkpoint.
        SignatureInvalid: none of the keys signed the note, or the signature of one of them is wrong.
    """
    checkpoint = Checkpoint.parse(note.text)
    by_id = {(key.name, key.key_id): key for key in keys}
    signed: dict[VerifierKey, int | None] = {}
    for signature in note.signatures:
        key = by_id.get((signature.name, signature.key_id))
        if key is not None:
            signed[key] = key.verify(note.text, signature)
    if not signed:
        raise SignatureInvalid(f"no trusted key signed the checkpoint of {checkpoint.origin}")
    return Opened(checkpoint, note, signed)
