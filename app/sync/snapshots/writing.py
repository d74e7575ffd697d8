"""Writes one snapshot: lines of JSON, compressed as they come, in a file for its owner only."""

import hashlib
import os
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Final

import msgspec

from app.actor import Actor
from app.kit.json_text import on_one_line
from app.kit.zstd import CompressionParameter, ZstdCompressor
from app.ledger.domain import Closures, RecordText
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import members_of
from app.sync.snapshots.domain import DigestBuilder

_LEVEL: Final = 1
"""The fastest: of such lines, half of them random hexadecimal, higher levels make no smaller file."""

_encoder = msgspec.json.Encoder()


class Writer:
    """Writes a snapshot: creates the file, and compresses each line into it as it is added.

    Call `add_line` for the first line, `add_records`, `add_line` for the last line, then `finish`.

    Args:
        path: the file; it must not exist.
        reader: an actor of the snapshot's scope (see `reader_in`): lines contain the personal parts that it may see.

    Attributes:
        digest: computes the digest of the records so far.
        length: bytes of the lines so far, before compression.

    Raises:
        OSError: the file exists, or can't be made.
    """

    def __init__(self, path: Path, reader: Actor) -> None:
        self.digest = DigestBuilder()
        self.length = 0
        self._reader = reader
        self._hash = hashlib.sha256()
        level, threads = CompressionParameter.compression_level, CompressionParameter.nb_workers
        most = min(1, threads.bounds()[1])  # a thread of the library, where it was built with threads
        self._zstd = ZstdCompressor(options={int(level): _LEVEL, int(threads): most})
        self._file: BufferedWriter = os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
        )

    def add_line(self, line: bytes) -> None:
        """Add the first or the last line, which is JSON and not a record."""
        self._add(on_one_line(line) + b"\n")

    def add_records(self, records: Sequence[RecordText], closed: frozenset[str]) -> None:
        """Add the next records of the state as lines, without the personal parts that the reader may not see.

        Args:
            records: the records, by entry id.
            closed: ids of the entries among them that are or were sealed; their personal parts are left out.

        Raises:
            ValueError: the records are not in the order of their entries' ids.
        """
        closures, lines = Closures(closed), []
        for each in records:
            self.digest.add_record(each)
            seen = within_scope(each.entry_id, each.agency, self._reader, closures)
            lines.append(members_of(each, in_scope=seen))
        self._add(on_one_line(_encoder.encode_lines(lines)))

    def finish(self) -> str:
        """Write the rest durably and close the file. Returns the SHA-256 of the file's bytes, in hexadecimal."""
        self._write(self._zstd.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def _add(self, lines: bytes) -> None:
        self.length += len(lines)
        self._write(self._zstd.compress(lines))

    def _write(self, compressed: bytes) -> None:
        self._hash.update(compressed)
        self._file.write(compressed)
