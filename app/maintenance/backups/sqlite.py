"""Backups of a register on SQLite: its two files are copied as of one moment, while a service goes on writing.

SQLite's online backup starts again whenever another process has committed between two of its steps, so it never ends
while a service writes continuously. Here each file is copied by a connection that holds a read transaction, which sees
the same pages until its end (WAL), so each step continues where the last one ended. Only while these transactions begin
are both files' write locks held, so that no act is in one copy and missing from the other.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from app.access.domain import SYSTEM
from app.db.unit import Reader
from app.kit.stages import ReportProgress
from app.maintenance.backups.inventory import NOT_COUNTED, BackupFailed, CountedFigures
from app.runtime import Runtime
from app.tlog import merkle

NAMES: Final = ("register.db", "register-checks.db")
"""Names of the files of a backup, for any names of the originals: the register's file and the file of its checks."""

_PAGES: Final = 1024
_TRIES: Final = 200
_HELD_SECONDS: Final = 0.5
"""Seconds for which one file's lock may be held while waiting for the other's: the longest delay of a request."""

_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Moment:
    """A consistent view of a register's two SQLite files, the register and the checks, at one moment.

    Attributes:
        at: the moment.
        register: a read transaction on the register.
        checks: a read transaction on the checks.
    """

    at: datetime
    register: Reader
    checks: Reader


@asynccontextmanager
async def open_snapshot(runtime: Runtime) -> AsyncIterator[Moment]:
    """Open a consistent view of the register's two files for the block; other processes can go on writing.

    Raises:
        BackupFailed: the locks of both files were not free in time.
    """
    async with AsyncExitStack() as readers:
        for _ in range(_TRIES):
            moment = await _hold(runtime, readers)
            if moment is not None:
                yield moment
                return
            await asyncio.sleep(_PAUSE)
        raise BackupFailed("The register was written without a pause; try again when less goes on.")


async def _hold(runtime: Runtime, readers: AsyncExitStack) -> Moment | None:
    """Begin a read transaction on each file while both are locked; None if a file's lock was not free in time."""
    async with AsyncExitStack() as writers:
        await writers.enter_async_context(runtime.checks.writing())
        try:
            async with asyncio.timeout(_HELD_SECONDS):
                await writers.enter_async_context(runtime.register.writing())
        except TimeoutError:
            return None
        register = await readers.enter_async_context(runtime.reading(SYSTEM))
        checks = await readers.enter_async_context(runtime.reading_checks(SYSTEM))
        for reader in (register, checks):  # a transaction of SQLite's begins with its first read
            await reader.connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        return Moment(checks.now, register, checks)


async def count(moment: Moment) -> dict[str, int]:
    """Return the number of rows of each table in both files, without the tables in `NOT_COUNTED`."""
    rows: dict[str, int] = {}
    for reader in (moment.register, moment.checks):
        rows |= _count(await reader.connection.run_sync(_driver))
    return rows


async def copy(moment: Moment, targets: Sequence[Path], report_progress: ReportProgress) -> None:
    """Copy the register's two files into empty files, and remove the ledger's head from the copy.

    Without the head, a copy that somebody puts in place by hand is refused until `cekal restore` has accepted it.

    Args:
        moment: the view that is copied.
        targets: the empty files for the register and for the checks.
        report_progress: called with the number of bytes copied and the total.

    Raises:
        BackupFailed: a copy can't be written.
    """
    sources = [await reader.connection.run_sync(_driver) for reader in (moment.register, moment.checks)]
    sizes = [_bytes(source) for source in sources]
    done = 0
    for source, target, size in zip(sources, targets, sizes, strict=True):
        before = done

        def told(_status: int, remaining: int, pages: int, before: int = before, size: int = size) -> None:
            report_progress(before + (size * (pages - remaining) // pages if pages else size), sum(sizes))

        try:
            with closing(sqlite3.connect(target, isolation_level=None)) as copied:
                copied.execute("PRAGMA journal_mode=OFF")  # an incomplete copy is discarded anyway
                copied.execute("PRAGMA synchronous=OFF")
                source.backup(copied, pages=_PAGES, progress=told)
                copied.execute("PRAGMA journal_mode=DELETE")  # one file without a journal fits any medium
                if _has(copied, "ledger_head"):
                    copied.execute("DELETE FROM ledger_head")
        except sqlite3.Error as error:
            raise BackupFailed(f"{target} can't be written: {error}.") from None
        done += size


def examine(paths: Sequence[Path], report_progress: ReportProgress) -> CountedFigures:
    """Read both files of a copy in full, count rows and photos, and compute the root of its ledger.

    Args:
        paths: the register's file, then that of the checks.
        report_progress: called with the number of ledger records read and the total.

    Raises:
        BackupFailed: SQLite finds damage; a record of the ledger is missing; or a check refers to a ledger record
            beyond the ledger's end, so that the two files do not belong together.
    """
    rows: dict[str, int] = {}
    tree, photos = merkle.Tree(), 0
    for path in paths:
        try:
            with closing(_opened(path)) as file:
                (said,) = file.execute("PRAGMA integrity_check(1)").fetchone()
                if said != "ok":
                    raise BackupFailed(f"{path} is damaged: {said}.")
                rows |= _count(file)
                if _has(file, "ledger_record"):
                    _grow(tree, file, rows["ledger_record"], report_progress)
                    photos = _photos(file)
                if _has(file, "check_record"):
                    _expect_known(file, tree.size, path)
        except sqlite3.Error as error:
            raise BackupFailed(f"{path} can't be read: {error}.") from None
    return CountedFigures(rows, photos, tree.size, tree.root().hex())


def _grow(tree: merkle.Tree, file: sqlite3.Connection, total: int, report_progress: ReportProgress) -> None:
    for sequence, leaf in file.execute("SELECT sequence, leaf FROM ledger_record ORDER BY sequence"):
        if sequence != tree.size + 1:
            raise BackupFailed(f"The ledger has no record {tree.size + 1}.")
        tree.add(merkle.leaf_hash(leaf.encode()))
        if not sequence % _PAGES:
            report_progress(sequence, total)


def _expect_known(file: sqlite3.Connection, size: int, path: Path) -> None:
    """Raise BackupFailed if a check was answered at a ledger record beyond `size`, the end of the ledger."""
    (furthest,) = file.execute("SELECT max(sequence) FROM check_record").fetchone()
    if (furthest or 0) > size:
        raise BackupFailed(
            f"{path} does not belong to this register: a check was answered at record {furthest}, and the ledger "
            f"ends at {size}."
        )


def _photos(file: sqlite3.Connection) -> int:
    (found,) = file.execute("SELECT count(*) FROM blob WHERE kind = 'photo' AND bytes IS NOT NULL").fetchone()
    return int(found)


def _count(file: sqlite3.Connection) -> dict[str, int]:
    return {
        name: int(file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - a table's own name
        for name in _tables(file)
        if name not in NOT_COUNTED
    }


def _tables(file: sqlite3.Connection) -> list[str]:
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in file.execute(listed)]


def _has(file: sqlite3.Connection, table: str) -> bool:
    return table in _tables(file)


def _bytes(file: sqlite3.Connection) -> int:
    pages, size = (int(file.execute(f"PRAGMA {what}").fetchone()[0]) for what in ("page_count", "page_size"))
    return pages * size


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file as read-only and immutable, so that SQLite creates no journal and no lock."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _driver(connection: Any) -> sqlite3.Connection:
    """Return the sqlite3 connection of a SQLAlchemy connection."""
    driver: sqlite3.Connection = connection.connection.driver_connection
    return driver
