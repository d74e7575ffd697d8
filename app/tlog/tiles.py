"""Tiles (C2SP tlog-tiles): the tree's hashes and the log's entries in files that never change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from app.tlog.merkle import Node

WIDTH = 256
"""Number of hashes or entries of a full tile."""

HEIGHT = 8
"""Number of levels of the Merkle tree from one level of tiles to the next."""

HIGHEST_LEVEL = 63
"""The highest level of a tile that a path may name."""

_INDEX = re.compile(r"(?:x[0-9]{3}/)*[0-9]{3}")
_LEVEL = re.compile(r"0|[1-9][0-9]?")
_PARTIAL = re.compile(r"[1-9][0-9]{0,2}")
_MOST_PARTS = 6


class TileUnknown(ValueError):
    """A path is not the path of a tile; the message is that path, or the part of it that names the level."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Which part of a log a tile contains: up to 256 hashes of the Merkle tree, or (as a bundle) up to 256 entries.

    Attributes:
        level: 0 for a tile of leaf hashes. A hash of level 1 covers 256 hashes of level 0, and so on upwards. None for
            a bundle of entries.
        index: the tile's number within the level, from 0.
        width: number of hashes or entries: 256, or fewer in the partial tile at the tree's right edge.
    """

    level: int | None
    index: int
    width: int

    @property
    def start(self) -> int:
        """The index, from 0 within the level, of the tile's first hash or entry."""
        return self.index * WIDTH

    @property
    def nodes(self) -> list[Node]:
        """The tree's nodes whose hashes the tile contains, in order; for a bundle, the nodes of its leaves."""
        level = (self.level or 0) * HEIGHT
        return [(level, self.start + offset) for offset in range(self.width)]

    def is_in(self, size: int) -> bool:
        """Return whether a tree of `size` leaves has all hashes or entries of the tile."""
        return self.start + self.width <= size >> (self.level or 0) * HEIGHT

    def __str__(self) -> str:
        """Return the tile's path below the log's prefix."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        path = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{path}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, level: str, path: str) -> Self:
        """Return the tile that the two parts of a path name: the level (or `entries`), and index and width.

        Raises:
            TileUnknown: no tile has this path (C2SP tlog-tiles).
        """
        index, partial, width = path.partition(".p/")
        if not _INDEX.fullmatch(index) or index.count("/") >= _MOST_PARTS:
            raise TileUnknown(path)
        if partial and (not _PARTIAL.fullmatch(width) or int(width) >= WIDTH):
            raise TileUnknown(path)
        if level != "entries" and (not _LEVEL.fullmatch(level) or int(level) > HIGHEST_LEVEL):
            raise TileUnknown(level)
        number = int(index.replace("x", "").replace("/", ""))
        tile = cls(None if level == "entries" else int(level), number, int(width) if partial else WIDTH)
        if str(tile) != f"tile/{level}/{path}":  # as with leading zeros: each tile has one path
            raise TileUnknown(path)
        return tile


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle: for each entry its length in two bytes, big-endian, and the entry.

    Raises:
        OverflowError: an entry is longer than 65,535 bytes.
    """
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
