"""Settings of SQLite connections, and moving its write-ahead log (WAL), here called the journal, into the file."""

from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL

PATIENCE: Final = "busy_timeout=20"
"""Pragma: milliseconds that a statement waits for another process that opens, recovers or shortens the journal."""

PRAGMAS: Final = (
    PATIENCE,
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-1000",
    "journal_size_limit=16777216",
)
"""Pragmas of usual connections. The cache is small, because each connection has its own; the operating system's page
cache serves all of them."""

BULK_PRAGMAS: Final = (*PRAGMAS, "cache_size=-262144", "wal_autocheckpoint=0")
"""Pragmas of bulk writers: a large cache keeps pages that are changed repeatedly; `LONG` limits the journal."""

LONG: Final = 64 * 1024 * 1024
"""Size of the journal, in bytes, at which it is copied into the file; a page that changed ten times is copied once."""


def size(url: URL) -> int:
    """Return the size in bytes of a SQLite database's journal (its write-ahead log); 0 if there is none."""
    try:
        return Path(f"{url.database}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def shorten(engine: Engine) -> None:
    """Copy the journal of a SQLite database into its file, then truncate it unless another connection is using it.

    The copy takes long but does not block other writers. The truncation blocks them, but then has to copy only the few
    pages that they have written meanwhile.
    """
    with closing(engine.raw_connection()) as connection:
        for mode in ("PASSIVE", "TRUNCATE"):
            connection.cursor().execute(f"PRAGMA wal_checkpoint({mode})")
