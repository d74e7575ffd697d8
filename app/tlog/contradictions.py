"""Proofs that a log contradicts itself: two heads that it signed and that can't both be true."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from app.tlog.checkpoints import Checkpoint, parse_hash
from app.tlog.keys import VerifierKey
from app.tlog.merkle import ProofInvalid, roots_of
from app.tlog.notes import LONGEST_NOTE, Note, NoteMalformed
from app.tlog.signed import Opened, open_checkpoint

FIRST_LINE = "cekal/log-evidence@v1"
"""The first line of an evidence file; the file's form is Cekal's own."""

_MOST_HASHES = 64
_PARTS = 5  # the head, and text and signatures of each note


class Contradiction(StrEnum):
    """How two signed heads of one log contradict each other, so that they can't both be true."""

    TWO_ROOTS = "two-roots"
    """The trees have the same size and different roots."""
    OTHER_LEAVES = "other-leaves"
    """The larger tree's first leaves, as many as the smaller tree has, have another root than the smaller tree."""
    ROLLBACK = "rollback"
    """One key signed the head of the smaller tree at a later time than that of the larger: the log became smaller."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signed heads that may show that a log contradicts itself; nothing is verified before `verify`.

    Attributes:
        smaller: the head of the smaller tree; if both have the same size, either head.
        larger: the other head.
        path: the hashes of the consistency proof from the smaller tree to the larger one. The first is always that of a
            subtree of both trees, also where RFC 9162 omits it (see `roots_of`). Empty without a proof, and for trees
            of the same size.
    """

    smaller: Note
    larger: Note
    path: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        """Return the text of the evidence file: `FIRST_LINE`, the path's hashes, an empty line, and both notes."""
        path = [base64.b64encode(step).decode() for step in self.path]
        return "\n".join([FIRST_LINE, *path, "", str(self.smaller), str(self.larger)])

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the evidence in the bytes of an evidence file, without verifying it.

        Raises:
            NoteMalformed: the bytes are not an evidence file.
        """
        parts = data.split(b"\n\n")  # a checkpoint's text has no empty line
        if len(data) > 3 * LONGEST_NOTE or len(parts) != _PARTS or not parts[0].isascii():
            raise NoteMalformed("an evidence file is some lines and two checkpoints, parted by empty lines")
        first, *path = parts[0].decode().split("\n")
        if first != FIRST_LINE or len(path) > _MOST_HASHES:
            raise NoteMalformed(
                f"an evidence file begins with {FIRST_LINE}, and at most {_MOST_HASHES} hashes"
            )
        smaller = Note.parse(b"\n\n".join(parts[1:3]) + b"\n")
        return cls(smaller, Note.parse(b"\n\n".join(parts[3:])), tuple(map(parse_hash, path)))

    def verify(self, keys: Iterable[VerifierKey]) -> Contradiction:
        """Verify that a log contradicts itself, and return the kind of contradiction.

        Args:
            keys: the keys that are trusted to be the log's; only those whose name is the origin of the heads count.

        Raises:
            NoteMalformed: a note is not a checkpoint.
            SignatureInvalid: a head is signed by none of the keys, or a signature is wrong.
            ProofInvalid: the heads are of two logs, or both can be true.
        """
        known = list(keys)
        smaller, larger = _open(self.smaller, known), _open(self.larger, known)
        if smaller.checkpoint.origin != larger.checkpoint.origin:
            raise ProofInvalid("the heads are of two logs")
        found = contradiction(smaller, larger, self.path)
        if found is None:
            raise ProofInvalid("the heads do not contradict each other: both can be true")
        return found


def contradiction(smaller: Opened, larger: Opened, path: Sequence[bytes]) -> Contradiction | None:
    """Return how two heads of one log contradict each other; None if this is not proved.

    Heads of the same size contradict each other if their roots differ. Heads of different sizes do if one key signed
    the smaller head later than the larger. They also do if `path` proves that the larger tree begins with another tree
    than the smaller one. A path that does not lead to the larger head's root proves nothing: anybody can write one.

    Args:
        smaller: the head of the smaller tree, with its verified signatures; if both have the same size, either head.
        larger: the other head, with its verified signatures.
        path: hashes of the consistency proof between both trees (see `Evidence.path`); empty without one.
    """
    here, there = smaller.checkpoint, larger.checkpoint
    if here.size == there.size:
        return Contradiction.TWO_ROOTS if here.root != there.root else None
    if here.size > there.size:
        return None
    if path and here.size > 0:
        try:
            first, second = roots_of(here.size, there.size, path)
        except ProofInvalid:
            first, second = here.root, b""
        if second == there.root and first != here.root:
            return Contradiction.OTHER_LEAVES
    both = {key: (time, larger.signed.get(key)) for key, time in smaller.signed.items()}
    later = (old is not None and new is not None and old > new for old, new in both.values())
    return Contradiction.ROLLBACK if any(later) else None


def _open(note: Note, keys: Sequence[VerifierKey]) -> Opened:
    """Open a head that is signed by a key of its origin's name."""
    origin = Checkpoint.parse(note.text).origin
    return open_checkpoint(note, [key for key in keys if key.name == origin])
