"""A test of whether a database can be written, with the smallest possible write."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.database import Database
from app.db.faults import FileReplaced, Outage, outage

_RIGHTS: Final = text(
    "SELECT bool_and(has_table_privilege(oid, 'INSERT')) FROM pg_class WHERE oid IN "
    "('ledger_record'::regclass, 'check_record'::regclass, 'entry'::regclass, 'alert'::regclass)"
)
_WRITE: Final = text(
    "UPDATE access_state SET version = version WHERE id IN (SELECT id FROM access_state FOR UPDATE SKIP LOCKED)"
)
"""Update of a single row. If another transaction holds the row, that one can write, so the probe does not wait."""

_SQLITE_WRITE: Final = "PRAGMA user_version = 0"
"""Pragma that writes a page, and therefore to the disk; the program does not use its number."""


async def why_unwritable(*databases: Database) -> Outage | None:
    """Return why one of the databases can't be written now, or None if all of them can.

    A database that is busy or locked, because another process is writing, counts as one that can be written.

    Raises:
        DBAPIError: an error that is not an outage of the database.
        OSError: PostgreSQL could not be reached, or did not answer in time (TimeoutError).
        PoolTimeout: no connection became free in time.
    """
    for database in databases:
        try:
            async with database.writing() as connection:
                if database.is_sqlite:
                    await connection.exec_driver_sql(_SQLITE_WRITE)
                elif not (await connection.execute(_RIGHTS)).scalar_one():
                    return Outage.RIGHTS
                else:
                    await connection.execute(_WRITE)
        except (DBAPIError, FileReplaced) as error:
            why = outage(error)
            if why is None:
                raise
            if why is not Outage.BUSY:  # another process is writing, so the database is writable
                return why
    return None
