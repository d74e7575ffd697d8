"""Writes one snapshot: lines of JSON, compressed as they come, in a file for its owner only."""

import hashlib
import os
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Final

import msgspec

from app.kit.json_text import on_one_line
from app.kit.zstd import ZstdCompressor
from app.sync.feed.rendering import RecordMembers

_LEVEL: Final = 1
"""The fastest: of such lines, half of them random hexadecimal, higher levels make no smaller file."""

_encoder = msgspec.json.Encoder()


class Writer:
    """Writes a snapshot: creates the file, and compresses each line into it as it is added.

    Call `add_line` for the first line, `add_records`, `add_line` for the last line, `finish`, and in any case `close`.
    A thread compresses and writes what was added, while the caller prepares what comes next.

    Args:
        path: the file; it must not exist.

    Attributes:
        length: bytes of the lines so far, before compression.
        records: number of records so far.

    Raises:
        OSError: the file exists, or can't be made.
    """

    def __init__(self, path: Path) -> None:
        self.length = self.records = 0
        self._leaves = hashlib.sha256()
        self._hash = hashlib.sha256()
        self._zstd = ZstdCompressor(level=_LEVEL)
        self._file: BufferedWriter = os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
        )
        self._waiting: Queue[tuple[bytes, bytes] | None] = Queue(maxsize=1)
        self._failure: Exception | None = None
        self._thread = Thread(target=self._pack, daemon=True)
        self._thread.start()

    def add_line(self, line: bytes) -> None:
        """Add the first or the last line, which is JSON and not a record."""
        self._add(on_one_line(line) + b"\n")

    def add_records(self, records: Sequence[RecordMembers]) -> None:
        """Add the next records of the state as lines."""
        self.records += len(records)
        leaves = b"".join([b"%b\n" % each.leaf for each in records])
        self._add(on_one_line(_encoder.encode_lines(records)), leaves)

    def finish(self) -> tuple[str, str]:
        """Write the rest durably.

        Returns the SHA-256 of the file's bytes, in hexadecimal, and the hash of the leaves of all records, as
        `ComputedDigest.leaves` describes it.

        Raises:
            OSError: something that was added can't be written.
        """
        self._end_thread()
        if self._failure is not None:
            raise self._failure
        self._write(self._zstd.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest(), self._leaves.hexdigest()

    def close(self) -> None:
        """Close the file. Without `finish` before, it is not complete."""
        self._end_thread()
        self._file.close()

    def _end_thread(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _add(self, lines: bytes, leaves: bytes = b"") -> None:
        self.length += len(lines)
        self._waiting.put((lines, leaves))

    def _pack(self) -> None:
        """Hash, compress and write what waits, until None waits; after a failure, only take it away."""
        while (added := self._waiting.get()) is not None:
            if self._failure is None:
                lines, leaves = added
                try:
                    self._leaves.update(leaves)
                    self._write(self._zstd.compress(lines))
                except Exception as error:  # noqa: BLE001 - `finish` raises it
                    self._failure = error

    def _write(self, compressed: bytes) -> None:
        self._hash.update(compressed)
        self._file.write(compressed)
