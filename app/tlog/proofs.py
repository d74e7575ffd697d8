"""Proof files (C2SP tlog-proof): a leaf's index and audit path with a signed checkpoint, verified offline."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from app.tlog.checkpoints import parse_hash, parse_size
from app.tlog.keys import VerifierKey
from app.tlog.merkle import verify_inclusion
from app.tlog.notes import LONGEST_NOTE, Note, NoteMalformed, decode_base64
from app.tlog.signed import Opened, open_checkpoint

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_LONGEST_PATH = 63


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The content of a proof file (C2SP tlog-proof), by which anybody can verify that a log contains a leaf.

    Nothing in it is verified before `verify`.

    Attributes:
        index: the leaf's index, from 0.
        path: the audit path, from the leaf upwards.
        note: the signed checkpoint of the log.
        extra: further data, which is not signed; None without such data.
    """

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes | None = None

    def __str__(self) -> str:
        """Return the file's text."""
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        path = [base64.b64encode(step).decode() for step in self.path]
        lines = [_FIRST_LINE, *extra, f"index {self.index}", *path, "", str(self.note)]
        return "\n".join(lines)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the proof in the bytes of a proof file, without verifying it.

        Raises:
            NoteMalformed: the bytes are not a proof file.
        """
        if len(data) > 2 * LONGEST_NOTE:
            raise NoteMalformed("the proof file is too long")
        before, separator, note = data.partition(b"\n\n")
        if not separator or not before.isascii():
            raise NoteMalformed("a proof file is some lines, an empty line and a checkpoint")
        first, *lines = before.decode().split("\n")
        if first != _FIRST_LINE:
            raise NoteMalformed(f"a proof file begins with {_FIRST_LINE}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise NoteMalformed("the proof file has no index")
        index = parse_size(lines[0].removeprefix("index "))
        if len(lines) > 1 + _LONGEST_PATH:
            raise NoteMalformed(f"an audit path has at most {_LONGEST_PATH} hashes")
        return cls(index, tuple(parse_hash(line) for line in lines[1:]), Note.parse(note), extra)

    def verify(self, leaf: bytes, keys: Iterable[VerifierKey]) -> Opened:
        """Verify that a leaf is in the tree of the signed checkpoint, and return the checkpoint.

        Args:
            leaf: the leaf's `leaf_hash`.
            keys: the trusted keys, those of the log and of witnesses.

        Returns:
            The checkpoint, with the keys whose signatures were verified, at least one. The caller must decide whether
            these keys suffice.

        Raises:
            NoteMalformed: the note is not a checkpoint.
            SignatureInvalid: no trusted key signed the checkpoint, or the signature of a trusted key is wrong.
            ProofInvalid: the audit path does not lead from the leaf to the checkpoint's root.
        """
        opened = open_checkpoint(self.note, keys)
        verify_inclusion(self.index, opened.checkpoint.size, leaf, self.path, opened.checkpoint.root)
        return opened
