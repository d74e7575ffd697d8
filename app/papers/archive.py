"""A ZIP that leaves piece by piece: in memory is what was added since the last piece, and nothing before it."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from app.kit.clock import WIB

_PACKED = frozenset({"application/pdf", "image/jpeg", "image/png", "application/zip"})
"""Media types that are packed already; squeezing them again costs time and gains nothing."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of an archive.

    Attributes:
        title_id: what it is, in Indonesian.
        title_en: the same in English.
    """

    name: str
    sha256: str
    size: int
    media_type: str
    title_id: str
    title_en: str


class Archive:
    """A ZIP in the making.

    Attributes:
        files: what was added, in order.
    """

    def __init__(self, at: datetime) -> None:
        """Begin an archive whose files all bear the same time, so that the same content has the same bytes."""
        there = at.astimezone(WIB)
        self._stamp = (there.year, there.month, there.day, there.hour, there.minute, there.second)
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w")
        self.files: list[File] = []

    def add(self, name: str, data: bytes, media_type: str, titles: tuple[str, str]) -> None:
        """Add a file."""
        with self.begin(name, media_type, titles) as part:
            part.write(data)

    @contextmanager
    def begin(self, name: str, media_type: str, titles: tuple[str, str]) -> "Iterator[Part]":
        """Add a file that is written in parts."""
        info = zipfile.ZipInfo(name, self._stamp)
        info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every system
        info.compress_type = zipfile.ZIP_STORED if media_type in _PACKED else zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w") as opened:
            part = Part(opened)
            yield part
        self.files.append(File(name, part.digest.hexdigest(), part.size, media_type, *titles))

    def piece(self) -> bytes:
        """What has come since the last piece."""
        return self._sink.take()

    def end(self) -> bytes:
        """The last piece; nothing can be added after it."""
        self._zip.close()
        return self._sink.take()


class Part:
    """A file that is being written."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Write on."""
        self._opened.write(data)
        self.digest.update(data)
        self.size += len(data)


class _Sink:
    """Takes what `zipfile` writes, and can't be sought in, so that nothing is ever rewritten."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
