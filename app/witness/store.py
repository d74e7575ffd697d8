"""The file of a witness: the latest head of each log, and the evidence that it kept, in SQLite.

It is written with the standard library's driver: a transaction that is committed is on the disk.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from app.tlog.checkpoints import Checkpoint
from app.tlog.contradictions import Evidence
from app.tlog.notes import Note
from app.witness.domain import UNPROVED, CosignedHead, StoredEvidence

FILE: Final = "witness.db"

MOST_KEPT: Final = 100
"""Greatest number of pieces of evidence of one kind that are kept for a log, so that no stranger can fill the disk."""

_LOCK_SECONDS: Final = 10.0

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS identity (
    id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, vkeys TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    origin_hash TEXT PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL, cosigned_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS evidence (
    number INTEGER PRIMARY KEY AUTOINCREMENT, found_at INTEGER NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL,
    smaller TEXT NOT NULL, larger TEXT NOT NULL, file TEXT NOT NULL, UNIQUE (origin, kind, smaller, larger)
) STRICT;
"""


def origin_hash(origin: str) -> str:
    """Return the SHA-256 hash of an origin in hexadecimal digits, which names the log in URLs and in the file."""
    return hashlib.sha256(origin.encode()).hexdigest()


class Store:
    """Reads and writes the file with a witness's identity, heads and evidence; one thread at a time may use it.

    The constructor opens the file, and makes it if it is missing.

    Args:
        data_dir: the folder, which must exist.
        read_only: whether the file is only read, as by a command beside a running witness; then it must exist.

    Raises:
        sqlite3.Error: the file can't be opened, or is not a database.
        OSError: the file can't be made.
    """

    def __init__(self, data_dir: Path, *, read_only: bool = False) -> None:
        path = data_dir / FILE
        if not read_only:
            with suppress(FileExistsError):  # SQLite's journals inherit the mode
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        mode = "ro" if read_only else "rw"
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_LOCK_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        if not read_only:
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the file for writing inside the `with` block; at its end all changes are committed to the disk.

        An error in the block rolls the changes back. Raises sqlite3.Error if another process keeps the lock for too
        long, or if the changes can't be committed.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def identity(self) -> tuple[str, str] | None:
        """Return the witness's name and its public keys, one a line; None before its first start."""
        with closing(self._connection.execute("SELECT name, vkeys FROM identity")) as found:
            row: tuple[str, str] | None = found.fetchone()
        return row

    def set_identity(self, name: str, vkeys: str) -> None:
        """Store the witness's name and its public keys, one vkey a line.

        Raises sqlite3.Error if a name and keys are stored already.
        """
        self._connection.execute("INSERT INTO identity (id, name, vkeys) VALUES (1, ?, ?)", (name, vkeys))

    def head(self, hashed: str) -> CosignedHead | None:
        """Return the head of a log that was cosigned last; None if there is none.

        `hashed` is the `origin_hash` of the log.
        """
        statement = "SELECT origin, size, root, note FROM head WHERE origin_hash = ?"
        with closing(self._connection.execute(statement, (hashed,))) as found:
            row = found.fetchone()
        if row is None:
            return None
        origin, size, root, note = row
        return CosignedHead(Checkpoint(origin, size, root), Note.parse(note.encode()))

    def set_head(self, held: CosignedHead, cosigned_at: int) -> None:
        """Store the head of a log that was cosigned last, in place of the former; `cosigned_at` is a POSIX time.

        Evidence of the kind `UNPROVED` whose larger head is this one is deleted, because the head is proved now.
        """
        head = held.checkpoint
        self._connection.execute(
            "INSERT OR REPLACE INTO head (origin_hash, origin, size, root, note, cosigned_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (origin_hash(head.origin), head.origin, head.size, head.root, str(held.note), cosigned_at),
        )
        self._connection.execute(
            "DELETE FROM evidence WHERE origin = ? AND kind = ? AND larger = ?",
            (head.origin, UNPROVED, held.note.text),
        )

    def last_cosigned_at(self) -> int:
        """Return the POSIX time of the latest stored cosignature of any log; 0 before the first."""
        with closing(self._connection.execute("SELECT max(cosigned_at) FROM head")) as found:
            return found.fetchone()[0] or 0

    def lower_cosigned_at(self, most: int) -> None:
        """Set each stored time of a cosignature that is later than `most` to `most`, a POSIX time."""
        self._connection.execute("UPDATE head SET cosigned_at = min(cosigned_at, ?)", (most,))

    def keep(self, kind: str, origin: str, evidence: Evidence, found_at: int) -> bool:
        """Store two heads of a log as evidence.

        Nothing is stored if these heads are stored already, or if the log has 100 pieces of evidence of this kind.

        Args:
            kind: the `Contradiction` that the heads prove, or `UNPROVED`.
            origin: the log's origin.
            evidence: the heads.
            found_at: POSIX time at which the second head was submitted.

        Returns:
            Whether the evidence was stored.
        """
        with closing(
            self._connection.execute(
                "SELECT count(*) FROM evidence WHERE origin = ? AND kind = ?", (origin, kind)
            )
        ) as found:
            if found.fetchone()[0] >= MOST_KEPT:
                return False
        done = self._connection.execute(
            "INSERT OR IGNORE INTO evidence (found_at, origin, kind, smaller, larger, file) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (found_at, origin, kind, evidence.smaller.text, evidence.larger.text, str(evidence)),
        )
        return done.rowcount > 0

    def kept(self) -> Sequence[StoredEvidence]:
        """Return all stored evidence, oldest first."""
        statement = "SELECT number, found_at, origin, kind, file FROM evidence ORDER BY number"
        with closing(self._connection.execute(statement)) as found:
            return [StoredEvidence(*row) for row in found]
