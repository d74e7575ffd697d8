"""How SQLite's connections are set, and its journal (WAL), which is brought into the file from time to time."""

from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL

PATIENCE: Final = "busy_timeout=20"
"""Milliseconds that a statement waits for another process that opens, recovers or shortens the journal."""

PRAGMAS: Final = (
    PATIENCE,
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-1000",
    "journal_size_limit=16777216",
)
"""A small cache, since each connection has one of its own: behind it are the pages that the system keeps for all."""

BULK_PRAGMAS: Final = (*PRAGMAS, "cache_size=-262144", "wal_autocheckpoint=0")
"""Of a process that writes much: the pages that a step changes again stay in memory; `LONG` is the journal's limit."""

LONG: Final = 64 * 1024 * 1024
"""Bytes of a journal from which it is brought into the file: a page that changed in ten steps once."""


def size(url: URL) -> int:
    """Bytes of a database's journal."""
    try:
        return Path(f"{url.database}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def shorten(engine: Engine) -> None:
    """Bring the journal into the file, then cut it to nothing unless another process is at work there.

    The first takes long and lets others write meanwhile; the second finds what they have written, which is little.
    """
    with closing(engine.raw_connection()) as connection:
        for mode in ("PASSIVE", "TRUNCATE"):
            connection.cursor().execute(f"PRAGMA wal_checkpoint({mode})")
