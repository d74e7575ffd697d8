"""Engines: how a connection is opened on SQLite and on PostgreSQL."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import Settings

CHANNEL = "cekal"
"""PostgreSQL channel on which a commit wakes the other processes; its messages are empty."""

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-16000",
)


class Database:
    """One database: its engine, and the gate that lets one writer of this process at a time into SQLite.

    SQLite's own busy handler is unfair (its p99 is twenty times its median under twelve writers), so writers of
    one process queue here, first come first served; PostgreSQL needs no gate.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.writer = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.gate = asyncio.Semaphore(1 if self.is_sqlite else 1_000_000)

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def driver_url(address: str) -> URL:
    """The SQLAlchemy URL, with its asynchronous driver, of `sqlite:///path` or `postgresql://…`.

    Raises:
        ValueError: another database than these two.
    """
    url = make_url(address)
    match url.get_backend_name():
        case "sqlite":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            query = dict(url.query)
            if "sslmode" in query:  # libpq's word; asyncpg's is "ssl"
                query["ssl"] = query.pop("sslmode")
            return url.set(drivername="postgresql+asyncpg", query=query)
        case other:
            raise ValueError(f"the database may be sqlite or postgresql, not {other}")


def open_databases(settings: Settings) -> tuple[Database, Database]:
    """The register's database and the one of the checks.

    They are one and the same on PostgreSQL. On SQLite the checks, which grow for ever and are written all the
    time, have a file of their own beside the register's (`register.db` and `register-checks.db`).
    """
    url = driver_url(settings.url)
    if url.get_backend_name() != "sqlite":
        both = Database(_engine(url, pool_size=settings.pool_size))
        return both, both
    path = Path(url.database or "register.db")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = url.set(database=str(path.with_name(f"{path.stem}-checks{path.suffix}")))
    return Database(_engine(url, pool_size=4)), Database(_engine(beside, pool_size=2))


def _engine(url: URL, **options: Any) -> AsyncEngine:
    engine = create_async_engine(url, max_overflow=options["pool_size"], pool_timeout=10, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _connected)
        event.listen(engine.sync_engine, "begin", _begun)
    return engine


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # or the driver would emit a BEGIN of its own
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begun(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
