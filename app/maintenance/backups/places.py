"""Moving the files of a SQLite register into their folder, so that it contains a complete register or none."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from app.maintenance.backups.folder import flush
from app.maintenance.backups.inventory import BackupFailed

STAGE: Final = "restoring"
"""Name of the folder, next to the register's files, in which a backup is prepared before it becomes the register."""

_BESIDE: Final = ("", "-wal", "-shm", "-journal")
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def any_exists(files: Sequence[Path]) -> bool:
    """Return whether any file of the register exists."""
    return any(path.exists() for path in files)


@contextmanager
def locked_exclusively(files: Sequence[Path]) -> Iterator[None]:
    """Lock the files of a register exclusively until the block ends, so that no other process uses them.

    The contents of their journals are moved into the files. A file that SQLite can't read is not locked.

    Raises:
        BackupFailed: another process has a file open.
    """
    with ExitStack() as held:
        for path in files:
            if path.exists():
                file = held.enter_context(closing(sqlite3.connect(path, timeout=0, isolation_level=None)))
                try:
                    file.execute("PRAGMA journal_mode=DELETE")  # fails if another process has it open
                    file.execute("BEGIN EXCLUSIVE")
                except sqlite3.DatabaseError as error:
                    if error.sqlite_errorcode & 0xFF in _BUSY:
                        raise BackupFailed(
                            f"{path} is in use: end `cekal serve`, and whatever else has it open, and start again."
                        ) from None
        yield


def merge_journal(path: Path) -> None:
    """Move the contents of a database's journal into the database file, and flush the file to the disk.

    Raises:
        sqlite3.Error: SQLite can't open or change the file.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=DELETE")
    flush(path)


def swap(files: Sequence[Path], staged: Path) -> Path | None:
    """Replace the register's files by the prepared ones. Returns the folder with the former files; None without any.

    `files` are the paths of the register's file and of the file of its checks, in this order. `staged` is the folder of
    the prepared files, which have the same names; the folder is removed.

    The register's own file is moved away first and put in place last. The service does not start without it, so an
    interruption at any point leaves no mixture of two registers in use.
    """
    parent = files[0].parent
    former = [each for path in files if (each := _with_journals(path))]
    aside = Path(mkdtemp(prefix=f"replaced-{datetime.now(UTC):%Y%m%d}-", dir=parent)) if former else None
    if aside is not None:
        for path in (each for group in former for each in group):
            path.rename(aside / path.name)
        flush(aside)
        flush(parent)
    for path in reversed(files):
        (staged / path.name).rename(path)
        flush(parent)
    staged.rmdir()
    return aside


def _with_journals(path: Path) -> list[Path]:
    return [each for end in _BESIDE if (each := path.with_name(path.name + end)).exists()]


@contextmanager
def stage_folder(files: Sequence[Path]) -> Iterator[Path]:
    """Create the folder `STAGE` next to a register and remove it after the block.

    A folder of an interrupted restoration is removed first.
    """
    staged = files[0].parent / STAGE
    staged.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
