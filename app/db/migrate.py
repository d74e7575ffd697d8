"""The database schema: its migration to the newest revision, and the check of its revision.

One history of revisions serves both layouts: on PostgreSQL one database contains the register and the checks, on
SQLite each has a file, and a revision changes only the parts that a file contains.
"""

import asyncio
import logging
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app.db.database import Connection as Transaction
from app.db.database import Database

if TYPE_CHECKING:  # Only migrations import Alembic: without it a server needs 10 MB less
    from alembic.config import Config

logger = logging.getLogger(__name__)

NEWEST: Final = "0049"
"""The revision that this program needs; a test compares it with the newest file in `migrations/`."""

OLDEST: Final = "0045"
"""The smallest `NEWEST` of a program that can serve the schema of this program, while machines are upgraded one by one.

Migrations after this revision only add what such an older program may ignore. A migration that does more has to set
this to its own revision; a test compares the schemas (docs/versioning.md).
"""

_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 1.0
_LOCKED: Final = frozenset({"40P01", "55P03"})
"""PostgreSQL's codes of a deadlock, and of a lock that was not given in time."""

REGISTER: Final = "register"
CHECKS: Final = "checks"


class SchemaOutdated(RuntimeError):
    """The database's schema differs from the one that this program needs; the message explains the remedy."""


def script_location() -> Path:
    """Return the folder of the revisions: next to the package in a checkout, inside it when installed from a wheel."""
    packaged = Path(str(files("app"))) / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "migrations"


def config() -> "Config":
    """Build Alembic's configuration without a configuration file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def layout(register: Database, checks: Database) -> list[tuple[Database, frozenset[str]]]:
    """Return each database with the names of the parts of the schema (register, checks) that it contains.

    On SQLite these are two databases with one part each, on PostgreSQL one database with both parts.
    """
    if register is checks:
        return [(register, frozenset({REGISTER, CHECKS}))]
    return [(register, frozenset({REGISTER})), (checks, frozenset({CHECKS}))]


async def upgrade(register: Database, checks: Database) -> None:
    """Migrate the schema to its newest revision; safe to repeat and to run on several machines at once.

    Raises:
        SchemaOutdated: a newer program has migrated the schema.
        DBAPIError: a migration failed, and nothing was changed. One that met locks of the running service, for more
            than five seconds or in a deadlock, was tried five times; the call can be repeated.
    """
    from alembic import command

    for database, parts in layout(register, checks):
        given = config()

        def run(connection: Connection, given: "Config" = given, parts: frozenset[str] = parts) -> None:
            given.attributes["connection"] = connection
            given.attributes["parts"] = parts
            _refuse_newer(_revision(connection))
            command.upgrade(given, "head")
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{OLDEST}'"))

        await _run_migration(database, run)
        await database.renew_statistics()  # a revision may have filled a table


async def _run_migration(database: Database, run: Callable[[Connection], None]) -> None:
    """Run a migration in one transaction, and again if the running service holds locks that it needs."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with database.writing() as connection:
                await connection.run_sync(run)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _LOCKED or attempt == _ATTEMPTS:
                raise
            logger.warning("the migration met locks of the running service, and is tried again: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def require_newest(register: Database, checks: Database) -> None:
    """Raise SchemaOutdated unless the schema has the revision that this program needs.

    Raises:
        SchemaOutdated: the schema is older, newer or missing.
    """
    await _require(register, checks, newer=False)


async def require_served(register: Database, checks: Database) -> None:
    """Raise SchemaOutdated unless this program can work with the database's schema.

    A program can work with the schema of its own revision. On PostgreSQL it can also work with a newer schema whose
    migration has noted in the database, in a comment on Alembic's table, that programs of this revision may go on. So
    machines can be upgraded one by one.

    Raises:
        SchemaOutdated: the schema is older or missing, or so much newer that this program can't serve it.
    """
    await _require(register, checks, newer=True)


async def _require(register: Database, checks: Database, *, newer: bool) -> None:
    for database, _ in layout(register, checks):
        async with database.reading() as connection:
            current = await revision(connection)
            if newer and current is not None and current > NEWEST:
                oldest = await connection.run_sync(_oldest_program)
                if oldest is not None and oldest <= NEWEST:
                    continue
        _refuse_newer(current)
        if current != NEWEST:
            raise SchemaOutdated(
                f"The database's schema is {current or 'not there yet'}, this program needs {NEWEST}: "
                "run `cekal migrate` (with the same settings) and start again."
            )


def _refuse_newer(current: str | None) -> None:
    """Raise SchemaOutdated for a revision newer than `NEWEST`; revisions are four-digit numbers in order."""
    if current is not None and current > NEWEST:
        raise SchemaOutdated(
            f"The database's schema is {current}, of a newer program than this one, which knows {NEWEST}: use that "
            "program, or restore a backup that was made before the upgrade."
        )


async def revision(connection: Transaction) -> str | None:
    """Return the revision of a database's schema, or None without a schema."""
    return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _oldest_program(connection: Connection) -> str | None:
    """Return the oldest revision whose programs can serve the schema; None where that is unknown."""
    if connection.dialect.name != "postgresql":
        return None
    found: str | None = connection.scalar(
        text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")
    )
    return found
