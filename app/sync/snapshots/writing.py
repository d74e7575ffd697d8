"""Writes one snapshot: lines of JSON, compressed as they come, in a file for its owner only."""

import hashlib
import os
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Any, Final

import msgspec

from app.actor import Actor
from app.kit.json_text import on_one_line
from app.kit.zstd import ZstdCompressor
from app.ledger.domain import Closures
from app.ledger.service import StateRecord
from app.sync.feed.domain import within_scope
from app.sync.feed.records import render
from app.sync.snapshots.domain import DigestBuilder
from app.sync.snapshots.service import add_to

_LEVEL: Final = 1
"""The fastest: of such lines, half of them random hexadecimal, higher levels make no smaller file."""

_encode = msgspec.json.Encoder().encode


class Writer:
    """A snapshot that is being written; its methods are called in a thread, one at a time.

    Attributes:
        digest: the digest of the records so far.
        length: bytes of the lines so far, before compression.
    """

    def __init__(self, path: Path, reader: Actor) -> None:
        self.digest = DigestBuilder()
        self.length = 0
        self._reader = reader
        self._path = path
        self._hash = hashlib.sha256()
        self._zstd = ZstdCompressor(_LEVEL)
        self._file: BufferedWriter = os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
        )

    def add_line(self, members: dict[str, Any]) -> None:
        """Add a line that is no record: the first or the last."""
        self._add(on_one_line(_encode(members)) + b"\n")

    def add_records(self, records: Sequence[StateRecord], closures: Closures) -> None:
        """Add a part of the state, each record with only what the reader may see."""
        add_to(self.digest, records, expect_stored=False)
        lines: list[bytes] = []
        for each in records:
            record = each.record
            seen = within_scope(record.entry_id, record.agency, self._reader, closures)
            lines += (render(record, in_scope=seen), b"\n")
        self._add(b"".join(lines))

    def finish(self) -> str:
        """Complete the file, durable after a power failure. Returns the SHA-256 of its bytes in hexadecimal."""
        self._write(self._zstd.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Remove the file, complete or not, if it is still under this name."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _add(self, lines: bytes) -> None:
        self.length += len(lines)
        self._write(self._zstd.compress(lines))

    def _write(self, compressed: bytes) -> None:
        self._hash.update(compressed)
        self._file.write(compressed)
