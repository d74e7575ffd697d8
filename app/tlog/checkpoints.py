"""Checkpoints (C2SP tlog-checkpoint): the statement of a log's size and root that is signed."""

import base64
from dataclasses import dataclass
from typing import Self

from app.tlog.notes import NoteMalformed, decode_base64

LARGEST_SIZE = 2**63 - 1
"""Greatest number of leaves of a log."""

HASH_BYTES = 32
"""Number of bytes of a SHA-256 hash."""

_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states and signs: its origin (its name), its number of leaves, and the Merkle root of these leaves."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """Return the text that is signed: three lines, without extension lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the checkpoint in the text of a note; the signatures are not part of it. Extension lines are ignored.

        Raises:
            NoteMalformed: the text is not a checkpoint.
        """
        *lines, rest = text.split("\n")
        if rest or len(lines) < _LINES or not all(lines):
            raise NoteMalformed(
                "a checkpoint has an origin, a size and a root, each on a line, and no empty line"
            )
        origin, size, root = lines[:_LINES]
        return cls(origin, parse_size(size), parse_hash(root))


def parse_size(text: str) -> int:
    """Return the tree size in a text: decimal digits without leading zeros.

    Raises:
        NoteMalformed: the text is not a size.
    """
    longest = len(str(LARGEST_SIZE))
    if not text.isascii() or not text.isdigit() or len(text) > longest or str(int(text)) != text:
        raise NoteMalformed("a size is a decimal number without leading zeros")
    if int(text) > LARGEST_SIZE:
        raise NoteMalformed("the size is too large")
    return int(text)


def parse_hash(text: str) -> bytes:
    """Return the SHA-256 hash in a base64 text.

    Raises:
        NoteMalformed: the text is not a hash.
    """
    data = decode_base64(text)
    if len(data) != HASH_BYTES:
        raise NoteMalformed(f"a hash has {HASH_BYTES} bytes")
    return data
