"""A ZIP archive that is sent in pieces: only the data added since the last piece are in memory."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from app.kit.clock import WIB

_PACKED = frozenset({"application/pdf", "image/jpeg", "image/png", "application/zip"})
"""Media types that are compressed already and are stored as they are."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of an archive.

    Attributes:
        title_id: its title in Indonesian.
        title_en: its title in English.
    """

    name: str
    sha256: str
    size: int
    media_type: str
    title_id: str
    title_en: str


class Archive:
    """A ZIP archive while it is being written.

    Attributes:
        files: the files added so far, in order.
    """

    def __init__(self, at: datetime) -> None:
        """Begin an archive; all files in it get the time `at`, so that equal content gives equal bytes."""
        local = at.astimezone(WIB)
        self._stamp = (local.year, local.month, local.day, local.hour, local.minute, local.second)
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w")
        self.files: list[File] = []

    def add(self, name: str, data: bytes, media_type: str, titles: tuple[str, str]) -> None:
        """Add a file: its path in the archive, data, media type, and titles in Indonesian and English."""
        with self.begin(name, media_type, titles) as part:
            part.write(data)

    @contextmanager
    def begin(self, name: str, media_type: str, titles: tuple[str, str]) -> "Iterator[Part]":
        """Open a new file of the archive as a context manager, and yield the `Part` that takes the file's data.

        When the context ends, the file is closed and added to `files`. Only one file can be open at a time: opening
        another one raises ValueError.

        Args:
            name: its path in the archive.
            media_type: its media type.
            titles: its titles in Indonesian and English.
        """
        info = zipfile.ZipInfo(name, self._stamp)
        info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every system
        info.compress_type = zipfile.ZIP_STORED if media_type in _PACKED else zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w") as opened:
            part = Part(opened)
            yield part
        self.files.append(File(name, part.digest.hexdigest(), part.size, media_type, *titles))

    def piece(self) -> bytes:
        """Return the archive's bytes written since the last call, and remove them from memory; may be empty."""
        return self._sink.take()

    def end(self) -> bytes:
        """Close the archive and return its last piece; no file can be added afterwards."""
        self._zip.close()
        return self._sink.take()


class Part:
    """A file of the archive while it is being written, with its size and SHA-256 (`digest`) so far."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append data to the file."""
        self._opened.write(data)
        self.digest.update(data)
        self.size += len(data)


class _Sink:
    """Buffer for the output of `zipfile`; it cannot seek, so that no byte is rewritten later."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is no other buffer."""

    def close(self) -> None:
        """Do nothing: no resource is open."""

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
